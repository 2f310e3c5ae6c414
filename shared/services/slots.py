"""The provider's quota of unfinished batches as slots in the bucket: taken by create-if-absent, exact in any interleaving.

A slot's highest generation is never deleted, so its numbers only grow: of all that create the same generation one
succeeds, and who comes so late that its generation has been deleted finds a higher one after creating it. What frees a
generation is a mark of its own, so that a late copy of an old holder's clean-up can never free the slot of the new one.
"""

from __future__ import annotations

from dataclasses import dataclass

from shared.domain.keys import ShardAttempt, Slot, parse_slot, slots_prefix
from shared.domain.limits import SlotPool
from shared.domain.records import SlotHolder
from shared.domain.slots import FreeSlots, free_slots
from shared.ports import ObjectStore
from shared.services.bucket_records import BucketRecords
from shared.services.claims import Claims, slot_of_claim


@dataclass(frozen=True)
class Slots:
    """Takes and frees slots; everything may be repeated."""

    store: ObjectStore

    def free(self, pool: SlotPool) -> FreeSlots:
        """What could be taken at this moment; one listing."""
        return free_slots(pool, (head.key for head in self.store.list(slots_prefix(pool.name))))

    def take(self, slot: Slot, holder: SlotHolder) -> bool:
        """Whether the slot is now the holder's."""
        if not self.store.put_if_absent(slot.key, holder.to_bytes()) and not self._is_of(slot, holder):
            return False
        others = [
            (head.key, parsed[0]) for head in self.store.list(slot.prefix) if (parsed := parse_slot(head.key))
        ]
        if any(other.generation > slot.generation for _, other in others):
            self.store.delete(slot.key)
            return False
        for key, other in others:
            if other.generation < slot.generation:
                self.store.delete(key)
        return True

    def give_back(self, slot: Slot, holder: SlotHolder) -> None:
        """Free the slot if it is the holder's, whose batch has ended or never was."""
        if self._is_of(slot, holder):
            self.store.put(slot.free_key, b"")

    def give_back_all(self, claims: Claims) -> None:
        """Free whatever the unreleased claims of an attempt have taken: its batch has ended, or there is none."""
        for number in claims.unreleased:
            slot = slot_of_claim(self.store, claims.unit, number)
            if slot:
                self.give_back(slot, holder_of(claims.unit, number))

    def _is_of(self, slot: Slot, holder: SlotHolder) -> bool:
        # Not the bytes: they name the version that wrote them, which may be an older one.
        standing = BucketRecords(self.store).find(slot.key, SlotHolder)
        return standing is not None and (standing.unit, standing.claim) == (holder.unit, holder.claim)


def holder_of(unit: ShardAttempt, claim: int) -> SlotHolder:
    return SlotHolder(unit=str(unit), claim=claim)
