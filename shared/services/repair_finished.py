"""Brings up again the ``finished/`` tickets whose event was lost or whose collecting died."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from shared.domain.keys import ShardAttempt, Stage
from shared.ports import Clock, ObjectHead, ObjectStore
from shared.services.bucket_records import BucketRecords
from shared.services.repair_step import Candidate, overdue_tickets


@dataclass(frozen=True)
class RepairFinished:
    """A ``RepairStep``: puts the ticket again, so that its event fires again."""

    store: ObjectStore
    clock: Clock
    older_than: timedelta
    name: str = "finished"

    def candidates(self) -> Iterator[Candidate]:
        return overdue_tickets(self.store, self.clock, Stage.FINISHED, self.older_than, self._repair)

    def _repair(self, unit: ShardAttempt, head: ObjectHead) -> bool:
        BucketRecords(self.store).put_finished(unit, heard_from="timer")
        return True
