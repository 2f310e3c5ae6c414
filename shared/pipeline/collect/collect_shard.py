"""Turns an ended batch into settled rows: a part of the result, or a next attempt for open rows.

See ``shared/README.md``, "Collecting".
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import timedelta

from shared.bucket.attempt import Attempt
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import Stage, attempt_key, open_job_key
from shared.bucket.money import Money
from shared.bucket.records.marks import FirstSeen
from shared.bucket.records.outcome import Outcome
from shared.bucket.records.plan import Plan
from shared.bucket.records.submission import SubmissionKind
from shared.money.worst_case import ALL_RESERVED, NOTHING, Charged, charged_by
from shared.pipeline.account_problems import waiting_for
from shared.pipeline.collect.apply_outcome import ApplyOutcome
from shared.pipeline.collect.batch_end import ask_for_state, end_of, end_without_batch
from shared.pipeline.collect.settle_attempt import ResultsIncomplete, SettleAttempt
from shared.pipeline.collect.ticket_meaning import CollectResult, Submitted, meaning_of
from shared.pipeline.jobs.stranded_notices import Notices
from shared.pipeline.later_versions import require_known_format
from shared.pipeline.quota.admission import Admission
from shared.pipeline.quota.ceilings import Ceilings
from shared.pipeline.quota.claims import Claims
from shared.pipeline.quota.slots import Slots
from shared.pipeline.quota.stack_ceiling import under_stack
from shared.pipeline.sample.sample_results import sample_state
from shared.pipeline.waiting import asked_of_provider, keep_running
from shared.ports.clock import Clock, Pause, no_pause
from shared.ports.provider import BatchId, BatchState
from shared.ports.providers import Providers
from shared.ports.store import ObjectStore
from shared.problems.exceptions import (
    ConfigurationError,
    ObjectMissing,
    ProviderRejected,
    ProviderTrouble,
    WorkLeft,
)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CollectShard:
    """Settle the shard whose batch may have ended. The ticket is a hint; the provider is asked.

    Of concurrent calls, the first to write ``outcome.json`` decides, and all of them apply it.

    Attributes:
        run_id: Unique to this invocation. What it writes before the decision has its own names.
        results_late: How long to wait for results that an ended batch lacks: it names no output
            file, or one that cannot be read or lacks lines. If its rows were sent again at once,
            they could be paid for twice.
        pause: Ends this invocation where a result takes longer than it has time.
        month_budget: What the stack allows all files in a month.
    """

    store: ObjectStore
    providers: Providers
    clock: Clock
    run_id: str
    results_late: timedelta
    pause: Pause = no_pause
    month_budget: Money | None = None

    def __call__(self, attempt: Attempt) -> CollectResult:
        """Decide what the ticket means, then act on it."""
        try:
            return self._look_at(attempt)
        except WorkLeft:
            # No function may put what starts itself, so the timer puts the ticket again.
            log.info("closing.paused", extra={"attempt": str(attempt)})
            return CollectResult.CLOSING

    def _look_at(self, attempt: Attempt) -> CollectResult:
        records = BucketRecords(self.store)
        meaning = meaning_of(self.store, self.clock, attempt)
        if isinstance(meaning, Submitted):
            plan = under_stack(meaning.plan, self.month_budget)
            return self._collect_if_possible(replace(meaning, plan=plan))
        if meaning is CollectResult.EARLY and records.find_ready(attempt) is None:
            records.put_ready(attempt)
        if meaning is not CollectResult.GONE:
            # While the ticket lies there, no notification is heard and the timer does not poll.
            records.drop_ticket(Stage.FINISHED, attempt)
        return meaning

    def _collect_if_possible(self, submitted: Submitted) -> CollectResult:
        try:
            return self._collect(submitted)
        except ProviderTrouble as trouble:
            self._wait_for_somebody(submitted, trouble)
            return CollectResult.WAITING
        except ObjectMissing as missing:
            self._leave(submitted, missing)
            return CollectResult.WORK_REMOVED

    def _collect(self, submitted: Submitted) -> CollectResult:
        records = BucketRecords(self.store)
        attempt = submitted.attempt
        require_known_format(submitted.plan)
        outcome = records.find_outcome(attempt)
        is_cancelled = outcome is None and records.is_cancelled(attempt.job_id)
        if outcome:  # before the provider is asked, which may fail
            self._apply(submitted, outcome)
        state = self._state_of(submitted, is_cancelled=is_cancelled)
        if outcome is None and state is not None:
            outcome = self._settle(submitted, state, is_cancelled=is_cancelled)
        if outcome is None:
            self._keep_waiting(submitted, is_cancelled=is_cancelled)
        else:
            self._finish(submitted, state)
        return CollectResult(outcome.kind) if outcome else CollectResult.NOT_ENDED

    def _state_of(self, submitted: Submitted, *, is_cancelled: bool) -> BatchState | None:
        """The batch at its end, or ``None`` while it may still end.

        One that runs past its deadline, or for a cancelled job, is cancelled.
        """
        submission, now = submitted.submission, self.clock.now()
        if submission.kind is SubmissionKind.KEPT and submitted.plan.is_sample(submitted.attempt):
            return sample_state(self.store, submitted.attempt)
        if submission.kind is not SubmissionKind.BATCH:
            return end_without_batch(submission)
        batches = self.providers.of(submission.provider).batches
        batch_id = BatchId(submission.batch_id or "")
        overdue = now - submission.deadline_at
        state = ask_for_state(batches, batch_id, overdue, now - submitted.plan.created_at)
        told_for = None
        if state is not None and not state.status.is_terminal and (is_cancelled or overdue >= timedelta(0)):
            told_for = self._time_since_first(submitted.attempt, "told-to-end.json")
        end = end_of(state, batch_id, overdue, told_for)
        if end is None and told_for is not None:
            with asked_of_provider():
                batches.cancel(batch_id)
        return end

    def _settle(self, submitted: Submitted, state: BatchState, *, is_cancelled: bool) -> Outcome | None:
        """Apply the outcome that stands, ours or another call's; ``None`` to go on waiting."""
        attempt, outcome = submitted.attempt, None
        proposal = self._propose(submitted, state, is_cancelled=is_cancelled)
        if proposal is not None:
            outcome = BucketRecords(self.store).create(attempt_key(attempt, "outcome.json"), proposal)
            log.info(
                "shard.settled",
                extra={
                    "attempt": str(attempt),
                    "outcome": outcome.kind,
                    "rows": outcome.settled,
                    "resent": outcome.resent,
                },
            )
            self._apply(submitted, outcome)
        return outcome

    def _propose(self, submitted: Submitted, state: BatchState, *, is_cancelled: bool) -> Outcome | None:
        """The outcome to propose, or ``None`` while missing results may still turn up."""
        plan, attempt = submitted.plan, submitted.attempt
        provider = self.providers.of(plan.provider)
        settle = SettleAttempt(self.store, provider, self.clock, self.run_id, job_is_cancelled=is_cancelled)
        proposal = None
        try:
            proposal = settle(plan, attempt, state)
        except ResultsIncomplete as error:
            log.warning("results.incomplete", extra={"attempt": str(attempt), "reason": str(error)})
        if proposal is None and not self._is_worth_waiting(attempt):
            proposal = settle(plan, attempt, state, may_be_incomplete=True)
        return proposal

    def _is_worth_waiting(self, attempt: Attempt) -> bool:
        """Whether results were first missed less than ``results_late`` ago."""
        return self._time_since_first(attempt, "late-output.json") < self.results_late

    def _time_since_first(self, attempt: Attempt, record: str) -> timedelta:
        """Since this was asked for the first time, of which the record is kept."""
        now = self.clock.now()
        first = BucketRecords(self.store).create(attempt_key(attempt, record), FirstSeen(seen_at=now))
        return now - first.seen_at

    def _apply(self, submitted: Submitted, outcome: Outcome) -> None:
        """The batch has ended for good, so its slot is free, and it is known what it cost."""
        Slots(self.store).give_back_all(Claims.of(self.store, submitted.attempt))
        plan, sent = submitted.plan, submitted.submission
        self._settle_money(
            submitted, charged_by(plan.quote, plan.shard(submitted.attempt.shard), sent, outcome)
        )
        limits = self.providers.of(plan.provider).profile.limits_for(plan.model)
        ApplyOutcome(self.store, self.clock, limits, self.pause)(plan, submitted.attempt, outcome)

    def _finish(self, submitted: Submitted, state: BatchState | None) -> None:
        plan, attempt = submitted.plan, submitted.attempt
        if state is not None and submitted.submission.kind is SubmissionKind.BATCH:
            self._clean_up(plan, attempt, state)
        pool = self.providers.of(plan.provider).profile.pool_for(plan.model)
        Admission(self.store, self.clock).admit_next(pool)
        self._drop_tickets(attempt)

    def _clean_up(self, plan: Plan, attempt: Attempt, state: BatchState) -> None:
        """Files that the provider will not delete must not keep a settled shard on the board."""
        try:
            self.providers.of(plan.provider).batches.clean_up(state)
        except (ProviderRejected, ConfigurationError) as error:
            log.warning("files.left", extra={"attempt": str(attempt), "reason": str(error)})

    def _keep_waiting(self, submitted: Submitted, *, is_cancelled: bool) -> None:
        records = BucketRecords(self.store)
        attempt = submitted.attempt
        ticket = records.find_running(attempt)
        # A batch that was just cancelled ends soon, so the timer's back-off starts over.
        if is_cancelled or ticket is None or ticket.waiting_for:
            ticket = ticket or submitted.submission.running_ticket()
            records.put_running(attempt, ticket.model_copy(update={"polls": 0, "waiting_for": None}))
        records.drop_ticket(Stage.FINISHED, attempt)

    def _wait_for_somebody(self, submitted: Submitted, trouble: ProviderTrouble) -> None:
        """The operator must act first. The ticket notes what; the timer retries with back-off."""
        attempt, submission = submitted.attempt, submitted.submission
        log.warning(
            "collect.put_off",
            extra={"attempt": str(attempt), "code": trouble.trouble, "reason": str(trouble)},
        )
        reason = waiting_for(trouble, self.clock.now(), self.providers.terms_of(submission.provider))
        keep_running(self.store, attempt, reason, submission)
        BucketRecords(self.store).drop_ticket(Stage.FINISHED, attempt)

    def _leave(self, submitted: Submitted, missing: ObjectMissing) -> None:
        """Somebody deleted what the job needs, so it can never be finished."""
        attempt = submitted.attempt
        log.warning("work.missing", extra={"attempt": str(attempt), "reason": str(missing)})
        Notices(self.store).work_removed(submitted.plan)
        # Otherwise the timer would resume the job again and again.
        self.store.delete(open_job_key(attempt.job_id))
        Slots(self.store).give_back_all(Claims.of(self.store, attempt))
        self._settle_money(submitted, ALL_RESERVED if submitted.submission.batch_id else NOTHING)
        self._drop_tickets(attempt)

    def _settle_money(self, submitted: Submitted, charged: Charged) -> None:
        Ceilings(self.store, self.clock, submitted.plan).settle(submitted.attempt, charged)

    def _drop_tickets(self, attempt: Attempt) -> None:
        records = BucketRecords(self.store)
        records.drop_ticket(Stage.RUNNING, attempt)
        records.drop_ticket(Stage.FINISHED, attempt)
