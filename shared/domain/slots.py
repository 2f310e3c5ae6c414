"""Which slots of a pool are free, from the keys that exist."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from shared.domain.keys import Slot, parse_slot
from shared.domain.limits import SlotPool


@dataclass(frozen=True)
class FreeSlots:
    """The slots that may be taken, each with the generation that its next holder has to create.

    Of a thousand free slots one is taken, so each is made only when it is asked for.
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

    A slot's highest generation decides: it is free if that one is marked as freed, or if there is none. What else lies
    there are older generations and late marks of theirs, which say nothing.
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
    return FreeSlots(pool, tuple(n for n in range(1, pool.slots + 1) if n not in taken), highest)
