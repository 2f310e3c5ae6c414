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
from shared.bucket.keys import Stage, open_job_key, record_key, ticket_key, version_key
from shared.bucket.records import FirstSeen, Ledger, Plan
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

    def put_missing_tickets(self, plan: Plan) -> int:
        """Put the tickets that an open job needs to go on, and return how many.

        A ticket that is there already is left alone: the timer looks after it.
        """
        records = BucketRecords(self.store)
        attempts = [Attempt(JobId(plan.job_id), 1, shard.shard) for shard in plan.shards]
        tickets = sum([self._start(records, plan, attempt) for attempt in attempts])
        if tickets or any(
            records.find_settled(attempt.job_id, attempt.shard) is None for attempt in attempts
        ):
            return tickets
        return int(self._put_finished(records, self._latest(records, attempts[-1])))  # only closing is left

    def _latest(self, records: BucketRecords, attempt: Attempt) -> Attempt:
        """The attempt that is not decided, or the last one whose outcome we know."""
        outcome = records.find_outcome(attempt)
        while outcome is not None and outcome.kind in ("resend", "requeue"):
            attempt = attempt.next_attempt()
            outcome = records.find_outcome(attempt)
        return attempt

    def _start(self, records: BucketRecords, plan: Plan, first: Attempt) -> bool:
        """Put the ticket that the shard's latest attempt lacks."""
        if records.find_settled(first.job_id, first.shard):
            return False
        attempt = self._latest(records, first)
        if records.find_outcome(attempt):
            return self._put_finished(records, attempt)
        submission = records.find_submission(attempt)
        if submission is None and attempt.number > 1 and self.store.head(plan.requests_key(attempt)) is None:
            # The attempt before was decided, but its request lines were not written yet.
            return self._put_finished(records, attempt.previous_attempt())
        if submission is None:
            return self._put_ready(records, attempt)
        if records.find_running(attempt):
            return False
        records.put_running(attempt, submission.running_ticket())
        return True

    def _put_ready(self, records: BucketRecords, attempt: Attempt) -> bool:
        if self.store.head(ticket_key(Stage.READY, attempt)):
            return False
        before = records.find_outcome(attempt.previous_attempt()) if attempt.number > 1 else None
        records.put_ready(attempt, before.not_before if before else None)
        return True

    def _put_finished(self, records: BucketRecords, attempt: Attempt) -> bool:
        if self.store.head(ticket_key(Stage.FINISHED, attempt)):
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
