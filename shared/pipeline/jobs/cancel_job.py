"""Sends nothing more of a job and has its batches cancelled; paid answers are kept."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from shared.bucket.attempt import Attempt, JobId
from shared.bucket.bucket_records import CANCELLATION, BucketRecords
from shared.bucket.keys import Stage, awaited_key, job_tickets_prefix, record_key, ticket_in
from shared.bucket.records.marks import Cancellation
from shared.pipeline.jobs.start_job import StartJob
from shared.ports.clock import Clock
from shared.ports.store import ObjectStore

log = logging.getLogger(__name__)


class CancelResult(str, Enum):
    """What was done, in one word."""

    CLOSED = "closed"  # nothing: the job had ended
    CANCELLED = "cancelled"
    AGAIN = "again"  # it had been cancelled before


@dataclass(frozen=True)
class CancelJob:
    """Puts the record that submit, collect and the timer look for.

    May be repeated, and killed anywhere. The record alone cancels the job, at the timer's pace;
    waking its shards only makes it quicker.
    """

    store: ObjectStore
    clock: Clock

    def __call__(self, job_id: JobId) -> CancelResult:
        if BucketRecords(self.store).find_ledger(job_id) is not None:
            return CancelResult.CLOSED
        mine = Cancellation(asked_at=self.clock.now())
        is_new = self.store.put_if_absent(record_key(job_id, CANCELLATION), mine.to_bytes())
        log.info("job.cancelled", extra={"job_id": job_id, "is_new": is_new})
        if self.store.head(awaited_key(job_id)) and (plan := BucketRecords(self.store).find_plan(job_id)):
            StartJob(self.store, self.clock)(plan)  # it waits for no approval any more
        self.wake(job_id)
        return CancelResult.CANCELLED if is_new else CancelResult.AGAIN

    def wake(self, job_id: JobId) -> int:
        """Start the functions for every open shard of a cancelled job; return how many there are.

        A shard that only moves from ``ready/`` to ``running/`` is still open: wake again until
        none is left, or leave the rest to the timer.
        """
        records = BucketRecords(self.store)
        woken = 0
        for attempt in self._tickets(Stage.READY, job_id):
            records.put_ready(attempt)
            woken += 1
        for attempt in self._tickets(Stage.RUNNING, job_id):
            records.put_finished(attempt, heard_from="cancel")
            woken += 1
        return woken

    def _tickets(self, stage: Stage, job_id: JobId) -> Iterator[Attempt]:
        for head in self.store.list(job_tickets_prefix(stage, job_id)):
            found = ticket_in(head.key)
            if found:
                yield found[1]
