"""Small records that mark what was begun, called off, or noticed first."""

from __future__ import annotations

from datetime import datetime

from shared.bucket.base import Record


class Claim(Record):
    """An invocation is creating the batch of this attempt, in this slot."""

    # Nobody reads it, but versions before 26.11 cannot read a claim without it.
    token: str = ""
    claimed_at: datetime
    # Claims of an older version have none.
    slot: str = ""


class SlotHolder(Record):
    """Which claim of which attempt took a slot. A claimant knows its own slot by it.

    Versions before 26.11 compare these bytes, so they name no version: after a roll-back, or while
    one function is newer than another, an old ``collect`` must still free the slot.
    """

    unit: str
    claim: int

    def to_bytes(self) -> bytes:
        return self.model_dump_json(indent=1, exclude={"made_by"}).encode()


class Cancellation(Record):
    """Send nothing more of this job; cancel what is in flight, and keep its answers."""

    asked_at: datetime


class FirstSeen(Record):
    """When something was first noticed that is tolerated for a while."""

    seen_at: datetime
