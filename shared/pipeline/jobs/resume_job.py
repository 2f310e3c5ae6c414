"""Puts the tickets that a planned job lacks.

So the same file dropped again completes its job, and nothing is paid for twice.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from shared.bucket.attempt import Attempt, JobId
from shared.bucket.bucket_records import DROPPED_AGAIN, BucketRecords
from shared.bucket.keys import (
    Stage,
    attempt_key,
    job_tickets_prefix,
    open_job_key,
    record_key,
    settled_key,
    ticket_key,
    version_key,
)
from shared.bucket.records import FirstSeen, Ledger, Outcome, Plan
from shared.bucket.result_names import report_key_for
from shared.pipeline.jobs.retries import dropped_last_at, latest_retry
from shared.pipeline.jobs.stranded_notices import Notices
from shared.ports.store import ObjectStore

log = logging.getLogger(__name__)


class ResumeResult(str, Enum):
    """What was done, in one word for the log."""

    RESUMED = "resumed"
    RESULT_AGAIN = "result_again"  # the result is being written again from its parts
    RESULT_REMOVED = "result_removed"  # the result is gone, and so are its parts
    ERASED = "erased"  # somebody wanted all of it to be gone


@dataclass(frozen=True)
class ResumeJob:
    """Start what was never started. A settled job gets its result again from its parts, for free.

    A job that was retried stands for its last retry.
    """

    store: ObjectStore

    def __call__(self, plan: Plan, dropped_at: datetime) -> ResumeResult:
        """Bring the job to its end; ``dropped_at`` is when the file was dropped last."""
        records = BucketRecords(self.store)
        plan = latest_retry(records, plan).of_file(plan.source.key)
        job_id = JobId(plan.job_id)
        ledger = records.find_ledger(job_id)
        if ledger and ledger.erased_at:
            Notices(self.store).erased(plan, ledger.erased_at)
            return ResumeResult.ERASED
        if dropped_at > dropped_last_at(records, plan):
            # Also if the job is open, or its result stands: another version, dropped in between,
            # may still be running and must not get the result's name.
            self.store.put(version_key(plan.result_key, dropped_at, job_id), b"")
            again = FirstSeen(seen_at=dropped_at)  # last: it tells the next run that this is done
            self.store.put(record_key(job_id, DROPPED_AGAIN), again.to_bytes())
        if ledger and self._needs_its_result_again(records, plan):
            if not self._has_parts(records, plan, job_id):
                Notices(self.store).result_removed(plan, ledger)
                return ResumeResult.RESULT_REMOVED
            last = records.find_settled(job_id, len(plan.shards))
            attempt = last.attempt if last else 1
            self.store.put(open_job_key(job_id), b"")  # the ticket may be lost, as that of an open job
            records.put_finished(Attempt(job_id, attempt, len(plan.shards)), heard_from="upload")
            return ResumeResult.RESULT_AGAIN
        started = 0 if ledger else self.put_missing_tickets(plan)
        log.info("job.resumed", extra={"job_id": job_id, "tickets": started})
        return ResumeResult.RESUMED

    def put_first_tickets(self, plan: Plan) -> None:
        """Put the tickets of a job that was planned a moment ago, without a look at what is there.

        If the timer was sooner, a shard gets a ticket too many, which does no harm.
        """
        for shard in plan.shards:
            BucketRecords(self.store).put_ready(Attempt(JobId(plan.job_id), 1, shard.shard))

    def put_missing_tickets(self, plan: Plan) -> int:
        """Put the tickets that an open job needs to go on, and return how many.

        A ticket that is there already is left alone: the timer looks after it.
        """
        records, there = BucketRecords(self.store), _Listed(self.store, JobId(plan.job_id))
        attempts = [Attempt(JobId(plan.job_id), 1, shard.shard) for shard in plan.shards]
        waiting = [each for each in attempts if settled_key(each.job_id, each.shard) not in there]
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
            if outcome is None or outcome.kind not in ("resend", "requeue"):
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

    def _has_parts(self, records: BucketRecords, plan: Plan, job_id: JobId) -> bool:
        settled = (records.find_settled(job_id, shard.shard) for shard in plan.shards)
        return all(shard is not None and self.store.head(shard.part_key) is not None for shard in settled)

    def _needs_its_result_again(self, records: BucketRecords, plan: Plan) -> bool:
        """Whether the result was deleted, or replaced by that of another version of the file."""
        standing = records.find(report_key_for(plan.result_key), Ledger)
        return self.store.head(plan.result_key) is None or standing is None or standing.job_id != plan.job_id


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
