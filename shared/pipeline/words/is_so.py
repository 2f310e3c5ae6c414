"""Whether what is to be told is still so, by the bucket."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from shared.bucket.attempt import JobId
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import Stage, awaited_key, job_tickets_prefix, ticket_in
from shared.ports.store import ObjectStore
from shared.words.event import Event, EventKind

# Of a job's tickets; those of one job wait for the same.
_LOOKED_AT = 5


@dataclass(frozen=True)
class IsSo:
    """A word may be late by a day: by then the file may be put right, or its job erased."""

    store: ObjectStore

    def __call__(self, event: Event) -> bool:
        job_id = JobId(event.job_id)
        if event.kind is EventKind.REFUSED:
            return self.store.head(event.place) is not None
        if event.kind is EventKind.APPROVAL:
            return self.store.head(awaited_key(job_id)) is not None
        ledger = BucketRecords(self.store).find_ledger(job_id)
        if event.kind in (EventKind.WAITING, EventKind.OVER_CEILING):
            # A job's ticket goes after it is closed, perhaps minutes after.
            return ledger is None and any(
                self._waits(job_id, stage) for stage in (Stage.READY, Stage.RUNNING)
            )
        return ledger is not None and ledger.erased_at is None

    def _waits(self, job_id: JobId, stage: Stage) -> bool:
        records = BucketRecords(self.store)
        find = records.find_ready if stage is Stage.READY else records.find_running
        for head in islice(self.store.list(job_tickets_prefix(stage, job_id)), _LOOKED_AT):
            found = ticket_in(head.key)
            ticket = find(found[1]) if found else None
            if ticket and ticket.waiting_for:
                return True
        return False
