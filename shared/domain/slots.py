"""Which slots of a pool are free, from the keys that exist."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from shared.domain.keys import Slot, parse_slot
from shared.domain.limits import SlotPool


def free_slots(pool: SlotPool, keys: Iterable[str]) -> list[Slot]:
    """The slots that may be taken, each with the generation that its next holder has to create.

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
    newest = (Slot(pool.name, number, highest.get(number, 0)) for number in range(1, pool.slots + 1))
    return [
        replace(slot, generation=slot.generation + 1)
        for slot in newest
        if slot.generation == 0 or (slot.number, slot.generation) in freed
    ]
