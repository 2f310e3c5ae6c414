"""Frees the slots that were taken for attempts which had been decided already."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from shared.bucket.attempt import parse_attempt
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.records.marks import SlotHolder
from shared.bucket.slot_keys import Slot
from shared.pipeline.quota.admission import WaitingLists
from shared.pipeline.quota.slots import Slots
from shared.pipeline.reconcile.step import Candidate, some_of
from shared.ports.clock import Clock
from shared.ports.store import ObjectStore

log = logging.getLogger(__name__)

# Each run looks at so many of a pool that may have a thousand, and in time at all.
_LOOKS = 20


@dataclass(frozen=True)
class SweepSlots:
    """A ``RepairStep`` over the pools for which shards wait; in others no slot is missed.

    ``collect`` frees what an attempt holds when it is decided. A claimant that slept for longer
    than its lease may take its slot after that. It has died, or recorded its batch as superfluous,
    before the slot is ``older_than`` this.
    """

    store: ObjectStore
    clock: Clock
    older_than: timedelta
    lists: WaitingLists
    name: str = "slots"

    def candidates(self) -> Iterator[Candidate]:
        long_ago = self.clock.now() - self.older_than
        for pool, _ in self.lists.by_pool:
            held = {slot.key: slot for slot in Slots(self.store).taken_before(pool, long_ago)}
            for key in some_of(held, _LOOKS, self.clock.now()):
                yield Candidate(key, partial(self._repair, held[key]))

    def _repair(self, slot: Slot) -> bool:
        records = BucketRecords(self.store)
        holder = records.find(slot.key, SlotHolder)
        attempt = parse_attempt(holder.unit) if holder else None
        if holder is None or attempt is None or records.find_outcome(attempt) is None:
            return False
        Slots(self.store).give_back(slot, holder)
        log.warning("slot.swept", extra={"slot": slot.key, "attempt": str(attempt)})
        return True
