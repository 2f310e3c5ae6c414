"""Admits shards that wait for a slot where the end of a batch has admitted nobody."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from shared.domain.keys import WAITING, waiting_prefix
from shared.domain.limits import SlotPool
from shared.ports import Clock, ObjectStore
from shared.services.admission import Admission
from shared.services.repair_step import Candidate


@dataclass(frozen=True)
class AdmitWaiting:
    """A ``RepairStep`` whose candidates are the pools for which somebody waits. To wait is no fault, so nothing here counts as repaired."""

    store: ObjectStore
    clock: Clock
    pools: Sequence[SlotPool]
    name: str = "waiting"

    def candidates(self) -> Iterator[Candidate]:
        by_prefix = {waiting_prefix(pool.name): pool for pool in self.pools}
        prefixes = {"/".join(head.key.split("/")[:2]) + "/" for head in self.store.list(WAITING)}
        for prefix in sorted(prefixes & by_prefix.keys()):
            yield Candidate(prefix, partial(self._admit, by_prefix[prefix]))

    def _admit(self, pool: SlotPool) -> bool:
        Admission(self.store, self.clock).admit_next(pool)
        return False
