"""Puts the tickets that a planned job lacks; ``StartJob`` says whether it may have them."""

from __future__ import annotations

from dataclasses import dataclass

from shared.bucket.attempt import Attempt, JobId
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import (
    Stage,
    attempt_key,
    borrowing_key,
    job_tickets_prefix,
    record_key,
    settled_key,
    ticket_key,
)
from shared.bucket.records.outcome import Outcome
from shared.bucket.records.plan import Plan
from shared.bucket.records.submission import Submission, SubmissionKind
from shared.ports.clock import Clock
from shared.ports.store import ObjectStore


@dataclass(frozen=True)
class JobTickets:
    """Those of one open job. No ticket too many does harm, and nothing is paid for twice."""

    store: ObjectStore
    clock: Clock

    def put_first(self, plan: Plan) -> int:
        """Put the tickets of a job that was planned a moment ago, without a look at what is there.

        If the timer was sooner, a shard gets a ticket too many, which does no harm.
        """
        records = BucketRecords(self.store)
        for shard in plan.shards:
            attempt = Attempt(JobId(plan.job_id), 1, shard.shard)
            if plan.is_sent(attempt):
                records.put_ready(attempt)
            else:  # it is settled by the sample's answers
                kept = Submission.without_batch(SubmissionKind.KEPT, plan, attempt, self.clock.now())
                records.create(attempt_key(attempt, "submission.json"), kept)
                records.put_finished(attempt, heard_from="sample")
        return len(plan.shards)

    def put_missing(self, plan: Plan) -> int:
        """Put the tickets that an open job needs to go on, and return how many.

        A ticket that is there already is left alone: the timer looks after it.
        """
        records, there = BucketRecords(self.store), _Listed(self.store, JobId(plan.job_id))
        attempts = [Attempt(JobId(plan.job_id), 1, shard.shard) for shard in plan.shards]
        waiting = [each for each in attempts if not _is_decided(each, there)]
        if waiting:
            return sum([self._start(records, plan, attempt, there) for attempt in waiting])
        latest, _ = self._latest(records, plan, attempts[-1], there)
        return int(self._put_finished(records, latest, there))  # only closing is left

    def _latest(
        self, records: BucketRecords, plan: Plan, attempt: Attempt, there: _Listed
    ) -> tuple[Attempt, Outcome | None]:
        """The attempt that is not decided, or the last one whose outcome we know, and that."""
        # What a retry keeps was decided a moment ago, and may not be listed yet.
        while attempt_key(attempt, "outcome.json") in there or not plan.is_sent(attempt):
            outcome = records.find_outcome(attempt)
            if outcome is None or not (outcome.leaves_rows or outcome.kind == "requeue"):
                return attempt, outcome
            attempt = attempt.next_attempt()
        return attempt, None

    def _start(self, records: BucketRecords, plan: Plan, first: Attempt, there: _Listed) -> bool:
        """Put the ticket that the shard's latest attempt lacks."""
        attempt, outcome = self._latest(records, plan, first, there)
        if outcome:
            return self._put_finished(records, attempt, there)
        is_sent = attempt_key(attempt, "submission.json") in there
        if is_sent and records.find_running(attempt):
            return False
        submission = records.find_submission(attempt) if is_sent else None
        if submission is None and attempt.number > 1 and self.store.head(plan.requests_key(attempt)) is None:
            # The attempt before was decided, but its request lines were not written yet.
            return self._put_finished(records, attempt.previous_attempt(), there)
        if submission is None:
            return self._put_ready(records, attempt, there)
        records.put_running(attempt, submission.running_ticket())
        return True

    def _put_ready(self, records: BucketRecords, attempt: Attempt, there: _Listed) -> bool:
        if ticket_key(Stage.READY, attempt) in there:
            return False
        before = records.find_outcome(attempt.previous_attempt()) if attempt.number > 1 else None
        records.put_ready(attempt, before.not_before if before else None)
        return True

    def _put_finished(self, records: BucketRecords, attempt: Attempt, there: _Listed) -> bool:
        if ticket_key(Stage.FINISHED, attempt) in there:
            return False
        records.put_finished(attempt, heard_from="repair")
        return True


def _is_decided(attempt: Attempt, there: _Listed) -> bool:
    """Whether all rows of its shard are settled that were sent."""
    return any(key(attempt.job_id, attempt.shard) in there for key in (settled_key, borrowing_key))


class _Listed:
    """Which records and tickets of a job there are. Each folder is listed once, when asked about.

    A job may have hundreds of shards. What is listed late, or comes meanwhile, gets a ticket too
    many, which does no harm.
    """

    def __init__(self, store: ObjectStore, job_id: JobId) -> None:
        tickets = (job_tickets_prefix(stage, job_id) for stage in Stage)
        self._keys: dict[str, set[str] | None] = dict.fromkeys((record_key(job_id, ""), *tickets))
        self._store = store

    def __contains__(self, key: str) -> bool:
        prefix = next(each for each in self._keys if key.startswith(each))
        keys = self._keys[prefix]
        if keys is None:
            keys = self._keys[prefix] = {head.key for head in self._store.list(prefix)}
        return key in keys
