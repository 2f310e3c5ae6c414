"""Admits shards that wait for a slot where the end of a batch has admitted nobody."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from shared.domain.keys import waiting_prefix
from shared.domain.limits import POOLS
from shared.ports import Clock, ObjectHead, ObjectStore
from shared.services.admission import Admission


@dataclass(frozen=True)
class AdmitWaiting:
    """A ``RepairStep`` that looks at pools, each by the first shard that waits for it. To wait is no fault, nor is its end."""

    store: ObjectStore
    clock: Clock
    name: str = "waiting"

    def overdue(self) -> Iterator[ObjectHead]:
        for pool in POOLS:
            yield from list(self.store.list(waiting_prefix(pool.name)))[:1]

    def look(self, head: ObjectHead) -> bool:
        for pool in POOLS:
            if head.key.startswith(waiting_prefix(pool.name)):
                Admission(self.store, self.clock).admit_next(pool)
        return False
