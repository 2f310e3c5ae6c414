"""The provider's quota of unfinished batches as slots in the bucket, exact in any interleaving.

To take a slot is to create its next generation, if absent: of several claimants one succeeds.
The highest generation is never deleted, so the numbers only grow: a claimant so late that its
generation has been deleted finds a higher one after creating it. A mark of its own frees a
generation, so that a late clean-up of an old holder cannot free the slot of the new one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import filterfalse

from shared.bucket.attempt import Attempt
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.records.marks import SlotHolder
from shared.bucket.slot_keys import Slot, parse_slot, slots_prefix
from shared.pipeline.quota.claims import Claims, slot_of_claim
from shared.ports.profile import SlotPool
from shared.ports.store import ObjectStore


@dataclass(frozen=True)
class FreeSlots:
    """The slots that may be taken, each with the generation that its next holder has to create.

    Of a thousand free slots one is taken, so each ``Slot`` is made only when needed.
    """

    pool: SlotPool
    numbers: tuple[int, ...]
    generations: Mapping[int, int]

    def __len__(self) -> int:
        return len(self.numbers)

    def __iter__(self) -> Iterator[Slot]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> Slot:
        number = self.numbers[index]
        return Slot(self.pool.name, number, self.generations.get(number, 0) + 1)


def free_slots(pool: SlotPool, keys: Iterable[str]) -> FreeSlots:
    """What may be taken, by the keys that exist.

    A slot is free if its highest generation is marked as freed, or if it has none. Older
    generations and their late marks do not count.
    """
    highest: dict[int, int] = {}
    freed: set[tuple[int, int]] = set()
    for key in keys:
        parsed = parse_slot(key)
        if parsed is None:
            continue
        slot, is_mark = parsed
        if is_mark:
            freed.add((slot.number, slot.generation))
        else:
            highest[slot.number] = max(slot.generation, highest.get(slot.number, 0))
    taken = {number for number, generation in highest.items() if (number, generation) not in freed}
    free = filterfalse(taken.__contains__, range(1, pool.slots + 1))
    return FreeSlots(pool, tuple(free), highest)


@dataclass(frozen=True)
class Slots:
    """Takes and frees slots; everything may be repeated."""

    store: ObjectStore

    def free(self, pool: SlotPool) -> FreeSlots:
        """What could be taken at this moment; one listing."""
        return free_slots(pool, (head.key for head in self.store.list(slots_prefix(pool.name))))

    def taken_before(self, pool: SlotPool, then: datetime) -> list[Slot]:
        """What has been held since before that time; one listing."""
        taken_at = {head.key: head.modified_at for head in self.store.list(slots_prefix(pool.name))}
        free = free_slots(pool, taken_at)
        held = free.generations.keys() & set(range(1, pool.slots + 1)) - set(free.numbers)
        slots = (Slot(pool.name, number, free.generations[number]) for number in held)
        return [slot for slot in slots if taken_at[slot.key] < then]

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
        """Free the slot if it is the holder's. The batch has ended, or never was."""
        if self._is_of(slot, holder):
            self.store.put(slot.free_key, b"")

    def give_back_all(self, claims: Claims) -> None:
        """Free what the attempt's unreleased claims took. The batch has ended, or never was."""
        for number in claims.unreleased:
            slot = slot_of_claim(self.store, claims.attempt, number)
            if slot:
                self.give_back(slot, holder_of(claims.attempt, number))

    def _is_of(self, slot: Slot, holder: SlotHolder) -> bool:
        # Not by the bytes: they name the version that wrote them, perhaps an older one.
        standing = BucketRecords(self.store).find(slot.key, SlotHolder)
        return standing is not None and (standing.unit, standing.claim) == (holder.unit, holder.claim)


def holder_of(attempt: Attempt, claim: int) -> SlotHolder:
    return SlotHolder(unit=str(attempt), claim=claim)
