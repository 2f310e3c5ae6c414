"""Brings up again the ``finished/`` tickets whose event was lost or whose collecting died."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from shared.domain.keys import Stage, ticket_in
from shared.ports import Clock, ObjectHead, ObjectStore
from shared.services.bucket_records import BucketRecords
from shared.services.repair_step import overdue_tickets


@dataclass(frozen=True)
class RepairFinished:
    """A ``RepairStep``: puts the ticket again, so that its event fires again."""

    store: ObjectStore
    clock: Clock
    older_than: timedelta
    name: str = "finished"

    def overdue(self) -> Iterator[ObjectHead]:
        return overdue_tickets(self.store, self.clock, Stage.FINISHED, self.older_than)

    def look(self, head: ObjectHead) -> bool:
        found = ticket_in(head.key)
        if found:
            BucketRecords(self.store).put_finished(found[1], heard_from="timer")
        return found is not None
