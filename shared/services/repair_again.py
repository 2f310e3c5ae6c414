"""Brings up again the ``again/`` tickets whose event was lost, also where their file has gone or changed since."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from shared.domain.errors import ObjectMissing
from shared.domain.keys import AGAIN
from shared.ports import Clock, ObjectHead, ObjectStore


@dataclass(frozen=True)
class RepairAgain:
    """A ``RepairStep``: puts the ticket again, so that ``validate`` answers the file, or sees that there is none."""

    store: ObjectStore
    clock: Clock
    older_than: timedelta
    name: str = "again"

    def overdue(self) -> Iterator[ObjectHead]:
        now = self.clock.now()
        return (head for head in self.store.list(AGAIN) if now - head.modified_at >= self.older_than)

    def look(self, head: ObjectHead) -> bool:
        try:
            self.store.put(head.key, self.store.get(head.key))
        except ObjectMissing:
            return False  # answered in this moment
        return True
