"""Brings up again the ``ready/`` tickets whose event was lost, whose submission died, or whose time has come."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from shared.domain.keys import ShardAttempt, Stage, ticket_in
from shared.domain.limits import POOLS
from shared.ports import Clock, ObjectHead, ObjectStore
from shared.services.admission import Admission
from shared.services.bucket_records import BucketRecords
from shared.services.claims import Claims
from shared.services.repair_step import overdue_tickets

# Whatever waits for a slot is brought up by admission. But one that stands on the list although a dead claim of its own
# holds a slot might wait for itself, so some of them are looked at in every run, all in turn.
_QUEUED_LOOKS = 20


@dataclass(frozen=True)
class RepairReady:
    """A ``RepairStep``: puts the ticket again, as it is, so that its event fires again.

    The place of one that waits for a slot is not touched by that, and to wait is no fault.
    """

    store: ObjectStore
    clock: Clock
    older_than: timedelta
    name: str = "ready"
    queued: set[ShardAttempt] = field(default_factory=set)

    def overdue(self) -> Iterator[ObjectHead]:
        admission = Admission(self.store, self.clock)
        self.queued.update(unit for pool in POOLS for unit in admission.waiting(pool))
        queued: list[ObjectHead] = []
        for head in overdue_tickets(self.store, self.clock, Stage.READY, self.older_than):
            found = ticket_in(head.key)
            if found and found[1] in self.queued:
                queued.append(head)
            else:
                yield head
        minutes = int(self.clock.now().timestamp() // 60)
        first = minutes * _QUEUED_LOOKS % max(len(queued), 1)
        yield from queued[first : first + _QUEUED_LOOKS]

    def look(self, head: ObjectHead) -> bool:
        found = ticket_in(head.key)
        records = BucketRecords(self.store)
        ticket = records.find_ready(found[1]) if found else None
        if found is None or ticket is None:
            return False
        if ticket.not_before is not None and ticket.not_before > self.clock.now():
            return False
        if found[1] in self.queued and not Claims.of(self.store, found[1]).unreleased:
            return False
        records.put_back(found[1], ticket)
        return True
