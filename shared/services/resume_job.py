"""Puts the tickets that a planned job still needs, so that a repeated upload completes it and never pays again."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from shared.domain.keys import JobId, ShardAttempt, record_key, report_key_for
from shared.domain.records import FirstSeen, Ledger, Plan
from shared.ports import ObjectStore
from shared.services.bucket_records import BucketRecords
from shared.services.rounds import latest_round

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ResumeJob:
    """Start what was never started. A job that is settled gets its result written again from its parts, for free.

    Of a job that was retried, the last retry is meant.
    """

    store: ObjectStore

    def __call__(self, plan: Plan, dropped_at: datetime) -> str:
        """Bring the job to its end; ``dropped_at`` is when the file was dropped last."""
        records = BucketRecords(self.store)
        plan = latest_round(records, plan)
        job_id = JobId(plan.job_id)
        if self._needs_its_result_again(records, plan, job_id):
            last = records.find_settled(job_id, len(plan.shards))
            attempt = last.attempt if last else 1
            again = FirstSeen(seen_at=dropped_at)
            self.store.put(record_key(job_id, "dropped-again.json"), again.to_bytes())
            records.put_finished(ShardAttempt(job_id, attempt, len(plan.shards)), heard_from="upload")
            return "result_again"
        started = sum(self._start(records, ShardAttempt(job_id, 1, shard.shard)) for shard in plan.shards)
        log.info("job.resumed", extra={"job_id": job_id, "tickets": started})
        return "resumed"

    def _start(self, records: BucketRecords, unit: ShardAttempt) -> bool:
        """Put the ticket that the shard's latest attempt lacks; one that is there already may be put again."""
        outcome = records.find_outcome(unit)
        while outcome is not None and outcome.kind != "final":
            unit = unit.next_attempt()
            outcome = records.find_outcome(unit)
        submission = records.find_submission(unit)
        if submission is None:
            records.put_ready(unit)
        elif outcome is None and records.find_running(unit) is None:
            records.put_running(unit, submission.running_ticket())
        elif records.find_settled(unit.job_id, unit.shard) is None and outcome is not None:
            records.put_finished(unit, heard_from="upload")
        else:
            return False
        return True

    def _needs_its_result_again(self, records: BucketRecords, plan: Plan, job_id: JobId) -> bool:
        """The result was deleted, or another version of the file has put its own in its place."""
        ledger = records.find_ledger(job_id)
        if ledger is None:
            return False
        standing = records.find(report_key_for(plan.result_key), Ledger)
        return self.store.head(plan.result_key) is None or standing is None or standing.job_id != plan.job_id
