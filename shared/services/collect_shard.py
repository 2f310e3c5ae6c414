"""Turns an ended batch into settled rows: a part of the result, or one more attempt for what is open (DESIGN §6)."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import timedelta

from shared.domain.batches import BatchId, BatchProblem, BatchState, BatchStatus
from shared.domain.errors import ConfigurationError, ProviderRejected
from shared.domain.keys import ShardAttempt, Stage, attempt_key, ticket_key
from shared.domain.records import FirstSeen, Outcome, Plan, Submission
from shared.ports import BatchProvider, Clock, ObjectStore
from shared.services.bucket_records import BucketRecords
from shared.services.follow_outcome import FollowOutcome
from shared.services.settle_attempt import ResultsIncomplete, SettleAttempt

log = logging.getLogger(__name__)

# After the deadline the batch is cancelled; if the provider still names no end by then, its rows are closed.
GIVE_UP = timedelta(hours=24)


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
    provider: BatchProvider
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
        outcome = records.find_outcome(unit)
        state = self._state_of(submission)
        if outcome is None:
            proposal = self._decide(plan, unit, state) if state else None
            if proposal is None:
                self._keep_waiting(records, unit, submission)
                return "not_ended"
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
        FollowOutcome(self.store, self.clock)(plan, unit, outcome)
        if state is not None and submission.batch_id:
            self._clean_up(unit, state)
        records.drop_ticket(Stage.RUNNING, unit)
        records.drop_ticket(Stage.FINISHED, unit)
        return outcome.kind

    def _clean_up(self, unit: ShardAttempt, state: BatchState) -> None:
        """Files that the provider will not delete must not keep a settled shard on the board."""
        try:
            self.provider.clean_up(state)
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

    def _state_of(self, submission: Submission) -> BatchState | None:
        """The batch at its end, or ``None`` while it is worth waiting."""
        if submission.batch_id is None:
            problem = BatchProblem(submission.rejected_code, submission.rejected_message)
            return BatchState(BatchId(""), BatchStatus.FAILED, "rejected", problems=(problem,))
        batch_id = BatchId(submission.batch_id)
        state = self.provider.status(batch_id)
        overdue = self.clock.now() - submission.deadline_at
        if state is not None and state.status.is_terminal:
            is_our_cancel = state.status is BatchStatus.CANCELLED and overdue >= timedelta(0)
            return replace(state, status=BatchStatus.EXPIRED) if is_our_cancel else state
        if overdue < timedelta(0):
            return None
        if state is not None and overdue < GIVE_UP:
            self.provider.cancel(batch_id)
            return None
        return state or BatchState(batch_id, BatchStatus.UNKNOWN, "unknown")

    def _decide(self, plan: Plan, unit: ShardAttempt, state: BatchState) -> Outcome | None:
        """The outcome to propose, or ``None`` while missing results may still turn up."""
        settle = SettleAttempt(self.store, self.provider, self.clock, self.run_id)
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

    def _keep_waiting(self, records: BucketRecords, unit: ShardAttempt, submission: Submission) -> None:
        if records.find_running(unit) is None:
            records.put_running(unit, submission.running_ticket())
        records.drop_ticket(Stage.FINISHED, unit)
