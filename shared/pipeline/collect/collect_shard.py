"""Turns an ended batch into settled rows: a part of the result, or one more attempt for what is open (DESIGN §6)."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import timedelta

from shared.bucket.attempt import ShardAttempt
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import Stage, attempt_key, open_job_key, ticket_key
from shared.bucket.records import CANCELLED_CODE, FirstSeen, Outcome, Plan, Submission
from shared.pipeline.account_problems import waiting_for
from shared.pipeline.collect.apply_outcome import FollowOutcome
from shared.pipeline.collect.settle_attempt import ResultsIncomplete, SettleAttempt
from shared.pipeline.deadlines import GIVE_UP
from shared.pipeline.jobs.notices import TellUploader
from shared.pipeline.quota.admission import Admission
from shared.pipeline.quota.claims import Claims
from shared.pipeline.quota.slots import Slots
from shared.pipeline.waiting import asked_of_provider, keep_running
from shared.ports.clock import Clock
from shared.ports.provider import BatchId, BatchProblem, BatchState, BatchStatus, FailedFor
from shared.ports.providers import Providers
from shared.ports.store import ObjectStore
from shared.problems.errors import ConfigurationError, ObjectMissing, ProviderRejected, ProviderTrouble

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CollectShard:
    """Settle the shard whose batch may have ended. The ticket is a hint: the provider is asked for the truth.

    Whatever two concurrent calls see, the first ``outcome.json`` decides and both follow it.

    Attributes:
        run_id: Unique to this invocation; what it writes before the decision lies under names of its own.
        results_late: How long a "completed" batch is waited for that names no output file, or one that cannot be
            read or lacks lines. Sending its rows again at once could pay for them twice.
    """

    store: ObjectStore
    providers: Providers
    clock: Clock
    run_id: str
    results_late: timedelta

    def __call__(self, unit: ShardAttempt) -> str:
        """Do what is to be done for this ticket and say what that was, in one word for the log."""
        records = BucketRecords(self.store)
        if self.store.head(ticket_key(Stage.FINISHED, unit)) is None:
            return "gone"
        plan = records.find_plan(unit.job_id)
        if plan is None or plan.shard(unit.shard) is None:
            log.warning("ticket.unknown", extra={"unit": str(unit)})
            records.drop_ticket(Stage.FINISHED, unit)
            return "unknown"
        submission = records.find_submission(unit)
        if submission is None:
            return self._bring_back(records, plan, unit)
        try:
            return self._collect(records, plan, unit, submission)
        except ProviderTrouble as trouble:
            return self._wait_for_somebody(unit, submission, trouble)
        except ObjectMissing as missing:
            log.warning("work.missing", extra={"unit": str(unit), "reason": str(missing)})
            TellUploader(self.store).work_removed(plan)
            self.store.delete(open_job_key(unit.job_id))  # or the timer would bring it up again and again
            Slots(self.store).give_back_all(Claims.of(self.store, unit))
            self._drop_tickets(records, unit)
            return "work_removed"

    def _collect(self, records: BucketRecords, plan: Plan, unit: ShardAttempt, submission: Submission) -> str:
        outcome = records.find_outcome(unit)
        is_cancelled = outcome is None and records.is_cancelled(unit.job_id)
        if outcome:  # what it says needs nothing more of the provider
            self._follow(plan, unit, outcome)
            state = self._state_of(submission, is_cancelled=is_cancelled)
        else:
            state = self._state_of(submission, is_cancelled=is_cancelled)
            proposal = self._decide(plan, unit, state, is_cancelled=is_cancelled) if state else None
            if proposal is None:
                self._keep_waiting(records, unit, submission, is_cancelled=is_cancelled)
                return "not_ended"
            outcome = self._settle(records, unit, proposal)
            self._follow(plan, unit, outcome)
        if state is not None and submission.batch_id:
            self._clean_up(plan, unit, state)
        pool = self.providers.of(plan.provider).profile.pool_for(plan.model)
        Admission(self.store, self.clock).admit_next(pool)
        self._drop_tickets(records, unit)
        return outcome.kind

    def _drop_tickets(self, records: BucketRecords, unit: ShardAttempt) -> None:
        records.drop_ticket(Stage.RUNNING, unit)
        records.drop_ticket(Stage.FINISHED, unit)

    def _settle(self, records: BucketRecords, unit: ShardAttempt, proposal: Outcome) -> Outcome:
        """The outcome that stands, ours or another's."""
        outcome = records.create(attempt_key(unit, "outcome.json"), proposal)
        log.info(
            "shard.settled",
            extra={
                "unit": str(unit),
                "outcome": outcome.kind,
                "rows": outcome.settled,
                "resent": outcome.resent,
            },
        )
        return outcome

    def _follow(self, plan: Plan, unit: ShardAttempt, outcome: Outcome) -> None:
        """The batch has ended for good: its slot is free, and what the outcome says is to be done."""
        Slots(self.store).give_back_all(Claims.of(self.store, unit))
        FollowOutcome(self.store, self.clock)(plan, unit, outcome)

    def _clean_up(self, plan: Plan, unit: ShardAttempt, state: BatchState) -> None:
        """Files that the provider will not delete must not keep a settled shard on the board."""
        try:
            self.providers.of(plan.provider).batches.clean_up(state)
        except (ProviderRejected, ConfigurationError) as error:
            log.warning("files.left", extra={"unit": str(unit), "reason": str(error)})

    def _bring_back(self, records: BucketRecords, plan: Plan, unit: ShardAttempt) -> str:
        """A notification came before its submission was written, or its ``ready/`` ticket was lost.

        Its ticket goes: it would keep the next notification from being heard, and the timer from polling.
        """
        is_known = self.store.head(plan.requests_key(unit)) is not None
        if is_known and records.find_ready(unit) is None:
            records.put_ready(unit)
        records.drop_ticket(Stage.FINISHED, unit)
        return "early" if is_known else "unknown"

    def _state_of(self, submission: Submission, *, is_cancelled: bool) -> BatchState | None:
        """The batch at its end, or ``None`` while it is worth waiting; that of a cancelled job is cancelled, too."""
        if submission.batch_id is None:
            if submission.rejected_code == CANCELLED_CODE:
                return BatchState(BatchId(""), BatchStatus.CANCELLED, CANCELLED_CODE)
            problem = BatchProblem(submission.rejected_code, submission.rejected_message)
            return BatchState(
                BatchId(""), BatchStatus.FAILED, "rejected", problems=(problem,), failed_for=FailedFor.ROWS
            )
        batches, batch_id = self.providers.of(submission.provider).batches, BatchId(submission.batch_id)
        with asked_of_provider():
            state = batches.status(batch_id)
        overdue = self.clock.now() - submission.deadline_at
        if state is not None and state.status.is_terminal:
            is_our_cancel = state.status is BatchStatus.CANCELLED and overdue >= timedelta(0)
            return replace(state, status=BatchStatus.EXPIRED) if is_our_cancel else state
        if overdue < GIVE_UP and (state is not None or overdue < timedelta(0)):
            if state is not None and (is_cancelled or overdue >= timedelta(0)):
                with asked_of_provider():
                    batches.cancel(batch_id)
            return None
        return state or BatchState(batch_id, BatchStatus.UNKNOWN, "unknown")

    def _decide(
        self, plan: Plan, unit: ShardAttempt, state: BatchState, *, is_cancelled: bool
    ) -> Outcome | None:
        """The outcome to propose, or ``None`` while missing results may still turn up."""
        settle = SettleAttempt(
            self.store,
            self.providers.of(plan.provider),
            self.clock,
            self.run_id,
            job_is_cancelled=is_cancelled,
        )
        try:
            return settle(plan, unit, state)
        except ResultsIncomplete as error:
            log.warning("results.incomplete", extra={"unit": str(unit), "reason": str(error)})
        return None if self._is_worth_waiting(unit) else settle(plan, unit, state, may_be_incomplete=True)

    def _is_worth_waiting(self, unit: ShardAttempt) -> bool:
        """Whether results were first missed less than ``results_late`` ago."""
        now = self.clock.now()
        first = BucketRecords(self.store).create(
            attempt_key(unit, "late-output.json"), FirstSeen(seen_at=now)
        )
        return now - first.seen_at < self.results_late

    def _keep_waiting(
        self, records: BucketRecords, unit: ShardAttempt, submission: Submission, *, is_cancelled: bool
    ) -> None:
        ticket = records.find_running(unit)
        # A batch that was just cancelled ends soon: the timer's back-off begins anew.
        if is_cancelled or ticket is None or ticket.waiting_for:
            records.put_running(unit, submission.running_ticket())
        records.drop_ticket(Stage.FINISHED, unit)

    def _wait_for_somebody(self, unit: ShardAttempt, submission: Submission, trouble: ProviderTrouble) -> str:
        """Nothing of the batch can be learnt until somebody acts; the timer asks again by and by."""
        log.warning(
            "collect.put_off", extra={"unit": str(unit), "code": trouble.trouble, "reason": str(trouble)}
        )
        terms = self.providers.terms_of(submission.provider)
        reason = waiting_for(trouble, self.clock.now(), terms)
        keep_running(self.store, unit, reason, submission)
        BucketRecords(self.store).drop_ticket(Stage.FINISHED, unit)
        return "waiting"
