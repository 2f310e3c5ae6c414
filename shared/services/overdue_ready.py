"""Brings up ``ready/`` tickets whose event was lost, whose time has come, or whose claimant has died."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from shared.domain.keys import ShardAttempt
from shared.domain.limits import POOLS
from shared.ports import Clock, ObjectHead, ObjectStore
from shared.services.admission import Admission
from shared.services.bucket_records import BucketRecords

# Whatever waits for a slot is brought up by admission. One that stands on the list although a dead claim of its own
# holds a slot would never get one, so all are looked at, slowly.
_QUEUED_LOOK = timedelta(hours=1)
_QUEUED_LOOKS = 20


@dataclass(frozen=True)
class OverdueReady:
    """Puts overdue tickets again, as they are; the place of one that waits for a slot is not touched by that."""

    store: ObjectStore
    clock: Clock

    def __call__(self, overdue: Iterable[tuple[ObjectHead, ShardAttempt]]) -> Iterator[str | None]:
        """Yield once for every ticket that was looked at: ``ready``, or ``None`` if there was nothing to repair."""
        records, admission = BucketRecords(self.store), Admission(self.store, self.clock)
        queued = {unit for pool in POOLS for unit in admission.waiting(pool)}
        looks = 0
        for head, unit in overdue:
            if unit in queued:
                if looks == _QUEUED_LOOKS or self.clock.now() - head.modified_at < _QUEUED_LOOK:
                    continue
                looks += 1
            ticket = records.find_ready(unit)
            if ticket is None or (ticket.not_before and ticket.not_before > self.clock.now()):
                yield None
                continue
            records.put_back(unit, ticket)
            yield None if unit in queued else "ready"
