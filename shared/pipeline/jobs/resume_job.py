"""Brings the job of a file that was dropped again to its end; nothing is paid for twice."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from shared.bucket.attempt import Attempt, JobId
from shared.bucket.bucket_records import DROPPED_AGAIN, BucketRecords
from shared.bucket.keys import open_job_key, record_key, version_key
from shared.bucket.records.ledger import Ledger
from shared.bucket.records.marks import FirstSeen
from shared.bucket.records.plan import Plan
from shared.bucket.result_names import report_key_for
from shared.pipeline.jobs.retries import dropped_last_at, latest_retry
from shared.pipeline.jobs.start_job import StartJob
from shared.pipeline.jobs.stranded_notices import Notices
from shared.ports.store import ObjectStore

log = logging.getLogger(__name__)


class ResumeResult(str, Enum):
    """What was done, in one word for the log."""

    RESUMED = "resumed"
    OPEN = "open"  # it is sent again once it is closed, and asked for till then
    RESULT_AGAIN = "result_again"  # the result is being written again from its parts
    RESULT_REMOVED = "result_removed"  # the result is gone, and so are its parts
    ERASED = "erased"  # somebody wanted all of it to be gone


@dataclass(frozen=True)
class ResumeJob:
    """Start what was never started. A settled job gets its result again from its parts, for free.

    A job that was retried stands for its last retry.
    """

    start: StartJob

    @property
    def store(self) -> ObjectStore:
        return self.start.store

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
        started = 0 if ledger else self.start(plan)
        log.info("job.resumed", extra={"job_id": job_id, "tickets": started})
        return ResumeResult.RESUMED

    def _has_parts(self, records: BucketRecords, plan: Plan, job_id: JobId) -> bool:
        settled = (records.find_settled(job_id, shard.shard) for shard in plan.shards)
        return all(shard is not None and self.store.head(shard.part_key) is not None for shard in settled)

    def _needs_its_result_again(self, records: BucketRecords, plan: Plan) -> bool:
        """Whether the result was deleted, or replaced by that of another version of the file."""
        standing = records.find(report_key_for(plan.result_key), Ledger)
        return self.store.head(plan.result_key) is None or standing is None or standing.job_id != plan.job_id
