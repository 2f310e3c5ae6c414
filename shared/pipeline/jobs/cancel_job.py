"""Stops feeding a job and has what is in flight cancelled; what was answered by then is harvested, since it was paid."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass

from shared.bucket.attempt import Attempt, JobId
from shared.bucket.bucket_records import CANCELLATION, BucketRecords
from shared.bucket.keys import Stage, job_tickets_prefix, record_key, ticket_in
from shared.bucket.records import Cancellation
from shared.ports.clock import Clock
from shared.ports.store import ObjectStore

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CancelJob:
    """Puts the record that submit, collect and the timer look for. May be repeated, and killed anywhere.

    The record alone cancels the job, at the timer's pace; waking its shards is only to be quick.
    """

    store: ObjectStore
    clock: Clock

    def __call__(self, job_id: JobId) -> str:
        """Say what was done: ``closed`` (nothing), ``cancelled``, or ``again`` if somebody had cancelled it before."""
        if BucketRecords(self.store).find_ledger(job_id) is not None:
            return "closed"
        mine = Cancellation(asked_at=self.clock.now())
        is_new = self.store.put_if_absent(record_key(job_id, CANCELLATION), mine.to_bytes())
        log.info("job.cancelled", extra={"job_id": job_id, "is_new": is_new})
        self.wake(job_id)
        return "cancelled" if is_new else "again"

    def wake(self, job_id: JobId) -> int:
        """Have every open shard of a cancelled job looked at now, and say how many there are.

        A shard moves from ``ready/`` to ``running/`` without being settled by that: wake until there are none, or leave
        the rest to the timer.
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
