"""Brings up again the ``ready/`` tickets whose event was lost, whose submission died, or whose time has come."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from shared.domain.keys import Stage, ticket_in
from shared.ports import Clock, ObjectHead, ObjectStore
from shared.services.bucket_records import BucketRecords
from shared.services.repair_step import overdue_tickets


@dataclass(frozen=True)
class RepairReady:
    """A ``RepairStep``: puts the ticket again, so that its event fires again."""

    store: ObjectStore
    clock: Clock
    older_than: timedelta
    name: str = "ready"

    def overdue(self) -> Iterator[ObjectHead]:
        return overdue_tickets(self.store, self.clock, Stage.READY, self.older_than)

    def look(self, head: ObjectHead) -> bool:
        found = ticket_in(head.key)
        records = BucketRecords(self.store)
        ticket = records.find_ready(found[1]) if found else None
        if found is None or ticket is None:
            return False
        if ticket.not_before is not None and ticket.not_before > self.clock.now():
            return False
        records.put_ready(found[1], ticket.not_before)
        return True
