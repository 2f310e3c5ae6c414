"""Turns an ended batch into settled rows: a part of the result, or one more attempt for what is open (DESIGN §6)."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import timedelta

from shared.bucket.attempt import Attempt
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import Stage, attempt_key, open_job_key, ticket_key
from shared.bucket.records import FirstSeen, Outcome, Plan
from shared.bucket.submission import CANCELLED_CODE, Submission
from shared.pipeline.account_problems import waiting_for
from shared.pipeline.collect.apply_outcome import ApplyOutcome
from shared.pipeline.collect.settle_attempt import ResultsIncomplete, SettleAttempt
from shared.pipeline.deadlines import GIVE_UP
from shared.pipeline.jobs.stranded_notices import Notices
from shared.pipeline.quota.admission import Admission
from shared.pipeline.quota.claims import Claims
from shared.pipeline.quota.slots import Slots
from shared.pipeline.waiting import asked_of_provider, keep_running
from shared.ports.clock import Clock
from shared.ports.provider import BatchId, BatchProblem, BatchState, BatchStatus, FailedFor
from shared.ports.providers import Providers
from shared.ports.store import ObjectStore
from shared.problems.exceptions import ConfigurationError, ObjectMissing, ProviderRejected, ProviderTrouble

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

    def __call__(self, attempt: Attempt) -> str:
        """Do what is to be done for this ticket and say what that was, in one word for the log."""
        records = BucketRecords(self.store)
        if self.store.head(ticket_key(Stage.FINISHED, attempt)) is None:
            return "gone"
        plan = records.find_plan(attempt.job_id)
        if plan is None or plan.shard(attempt.shard) is None:
            log.warning("ticket.unknown", extra={"attempt": str(attempt)})
            records.drop_ticket(Stage.FINISHED, attempt)
            return "unknown"
        submission = records.find_submission(attempt)
        if submission is None:
            return self._bring_back(records, plan, attempt)
        try:
            return self._collect(records, plan, attempt, submission)
        except ProviderTrouble as trouble:
            return self._wait_for_somebody(attempt, submission, trouble)
        except ObjectMissing as missing:
            log.warning("work.missing", extra={"attempt": str(attempt), "reason": str(missing)})
            Notices(self.store).work_removed(plan)
            self.store.delete(open_job_key(attempt.job_id))  # or the timer would bring it up again and again
            Slots(self.store).give_back_all(Claims.of(self.store, attempt))
            self._drop_tickets(records, attempt)
            return "work_removed"

    def _collect(self, records: BucketRecords, plan: Plan, attempt: Attempt, submission: Submission) -> str:
        outcome = records.find_outcome(attempt)
        is_cancelled = outcome is None and records.is_cancelled(attempt.job_id)
        if outcome:  # what it says needs nothing more of the provider
            self._follow(plan, attempt, outcome)
            state = self._state_of(submission, is_cancelled=is_cancelled)
        else:
            state = self._state_of(submission, is_cancelled=is_cancelled)
            proposal = self._decide(plan, attempt, state, is_cancelled=is_cancelled) if state else None
            if proposal is None:
                self._keep_waiting(records, attempt, submission, is_cancelled=is_cancelled)
                return "not_ended"
            outcome = self._settle(records, attempt, proposal)
            self._follow(plan, attempt, outcome)
        if state is not None and submission.batch_id:
            self._clean_up(plan, attempt, state)
        pool = self.providers.of(plan.provider).profile.pool_for(plan.model)
        Admission(self.store, self.clock).admit_next(pool)
        self._drop_tickets(records, attempt)
        return outcome.kind

    def _drop_tickets(self, records: BucketRecords, attempt: Attempt) -> None:
        records.drop_ticket(Stage.RUNNING, attempt)
        records.drop_ticket(Stage.FINISHED, attempt)

    def _settle(self, records: BucketRecords, attempt: Attempt, proposal: Outcome) -> Outcome:
        """The outcome that stands, ours or another's."""
        outcome = records.create(attempt_key(attempt, "outcome.json"), proposal)
        log.info(
            "shard.settled",
            extra={
                "attempt": str(attempt),
                "outcome": outcome.kind,
                "rows": outcome.settled,
                "resent": outcome.resent,
            },
        )
        return outcome

    def _follow(self, plan: Plan, attempt: Attempt, outcome: Outcome) -> None:
        """The batch has ended for good: its slot is free, and what the outcome says is to be done."""
        Slots(self.store).give_back_all(Claims.of(self.store, attempt))
        ApplyOutcome(self.store, self.clock)(plan, attempt, outcome)

    def _clean_up(self, plan: Plan, attempt: Attempt, state: BatchState) -> None:
        """Files that the provider will not delete must not keep a settled shard on the board."""
        try:
            self.providers.of(plan.provider).batches.clean_up(state)
        except (ProviderRejected, ConfigurationError) as error:
            log.warning("files.left", extra={"attempt": str(attempt), "reason": str(error)})

    def _bring_back(self, records: BucketRecords, plan: Plan, attempt: Attempt) -> str:
        """A notification came before its submission was written, or its ``ready/`` ticket was lost.

        Its ticket goes: it would keep the next notification from being heard, and the timer from polling.
        """
        is_known = self.store.head(plan.requests_key(attempt)) is not None
        if is_known and records.find_ready(attempt) is None:
            records.put_ready(attempt)
        records.drop_ticket(Stage.FINISHED, attempt)
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
        self, plan: Plan, attempt: Attempt, state: BatchState, *, is_cancelled: bool
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
            return settle(plan, attempt, state)
        except ResultsIncomplete as error:
            log.warning("results.incomplete", extra={"attempt": str(attempt), "reason": str(error)})
        return (
            None if self._is_worth_waiting(attempt) else settle(plan, attempt, state, may_be_incomplete=True)
        )

    def _is_worth_waiting(self, attempt: Attempt) -> bool:
        """Whether results were first missed less than ``results_late`` ago."""
        now = self.clock.now()
        first = BucketRecords(self.store).create(
            attempt_key(attempt, "late-output.json"), FirstSeen(seen_at=now)
        )
        return now - first.seen_at < self.results_late

    def _keep_waiting(
        self, records: BucketRecords, attempt: Attempt, submission: Submission, *, is_cancelled: bool
    ) -> None:
        ticket = records.find_running(attempt)
        # A batch that was just cancelled ends soon: the timer's back-off begins anew.
        if is_cancelled or ticket is None or ticket.waiting_for:
            records.put_running(attempt, submission.running_ticket())
        records.drop_ticket(Stage.FINISHED, attempt)

    def _wait_for_somebody(self, attempt: Attempt, submission: Submission, trouble: ProviderTrouble) -> str:
        """Nothing of the batch can be learnt until somebody acts; the timer asks again by and by."""
        log.warning(
            "collect.put_off",
            extra={"attempt": str(attempt), "code": trouble.trouble, "reason": str(trouble)},
        )
        terms = self.providers.terms_of(submission.provider)
        reason = waiting_for(trouble, self.clock.now(), terms)
        keep_running(self.store, attempt, reason, submission)
        BucketRecords(self.store).drop_ticket(Stage.FINISHED, attempt)
        return "waiting"
