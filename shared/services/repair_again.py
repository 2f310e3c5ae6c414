"""Brings up again the ``again/`` tickets whose event was lost, also where their file has gone or changed since."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from shared.domain.keys import AGAIN
from shared.domain.records import AgainTicket
from shared.ports import Clock, ObjectStore
from shared.services.bucket_records import BucketRecords
from shared.services.repair_step import Candidate


@dataclass(frozen=True)
class RepairAgain:
    """A ``RepairStep``: puts the ticket again, so that ``validate`` answers the file, or sees that there is none."""

    store: ObjectStore
    clock: Clock
    older_than: timedelta
    name: str = "again"

    def candidates(self) -> Iterator[Candidate]:
        for head in self.store.list(AGAIN):
            if self.clock.now() - head.modified_at >= self.older_than:
                yield Candidate(head.key, partial(self._repair, head.key))

    def _repair(self, key: str) -> bool:
        head = self.store.head(key)
        ticket = BucketRecords(self.store).find(key, AgainTicket)
        # FindLostUploads may have put it since it was listed.
        if head is None or self.clock.now() - head.modified_at < self.older_than:
            return False
        if ticket is None:
            self.store.delete(key)  # nobody can read it; FindLostUploads asks anew if the file still needs it
            return False
        self.store.put(key, ticket.to_bytes())
        return True
