"""Brings up again the ``ready/`` tickets whose event was lost, whose submission died, or whose time has come."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from shared.domain.keys import ShardAttempt, Stage
from shared.ports import Clock, ObjectHead, ObjectStore
from shared.services.bucket_records import BucketRecords
from shared.services.repair_step import Candidate, overdue_tickets


@dataclass(frozen=True)
class RepairReady:
    """A ``RepairStep``: puts the ticket again, so that its event fires again."""

    store: ObjectStore
    clock: Clock
    older_than: timedelta
    name: str = "ready"

    def candidates(self) -> Iterator[Candidate]:
        return overdue_tickets(self.store, self.clock, Stage.READY, self.older_than, self._repair)

    def _repair(self, unit: ShardAttempt, head: ObjectHead) -> bool:
        records = BucketRecords(self.store)
        ticket = records.find_ready(unit)
        if ticket is None or (ticket.not_before is not None and ticket.not_before > self.clock.now()):
            return False
        records.put_ready(unit, ticket.not_before)
        return True
