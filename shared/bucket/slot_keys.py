"""Where the rights to unfinished batches lie, and those who wait for one."""

from __future__ import annotations

import re
from dataclasses import dataclass

from shared.bucket.attempt import Attempt
from shared.bucket.keys import SLOTS, WAITING


@dataclass(frozen=True)
class Slot:
    """The right to one unfinished batch.

    Each holder has its own generation; both numbers count from 1.
    """

    pool: str
    number: int
    generation: int

    @property
    def key(self) -> str:
        return f"{self.prefix}{self.generation:06d}"

    @property
    def free_key(self) -> str:
        """Exists once the holder's batch has ended for good."""
        return f"{self.key}.free"

    @property
    def prefix(self) -> str:
        """All generations of this slot."""
        return f"{slots_prefix(self.pool)}{self.number:04d}-"


_SLOT = re.compile(rf"{SLOTS}([a-z0-9-]+)/([0-9]{{4}})-([0-9]{{6,}})(\.free)?", re.ASCII)


def parse_slot(key: str) -> tuple[Slot, bool] | None:
    """The slot that a key names, and whether the key marks it free; ``None`` for other keys."""
    match = _SLOT.fullmatch(key)
    return (Slot(match[1], int(match[2]), int(match[3])), bool(match[4])) if match else None


def slots_prefix(pool: str) -> str:
    return f"{SLOTS}{pool}/"


def waiting_prefix(pool: str) -> str:
    return f"{WAITING}{pool}/"


def waiting_key(pool: str, attempt: Attempt) -> str:
    """Records since when a shard waits for a slot."""
    return f"{waiting_prefix(pool)}{attempt}"
