"""The claims of one attempt: which invocations are, or were, creating its batch.

How long a claim is respected, its lease, stands in ``shared/pipeline/deadlines.py``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.bucket.attempt import Attempt
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import attempt_key, claims_prefix
from shared.bucket.records.marks import Claim
from shared.bucket.slot_keys import Slot, parse_slot
from shared.ports.store import ObjectStore


@dataclass(frozen=True)
class Claims:
    """An attempt's claims at one moment.

    Attributes:
        attempt: Whose claims they are.
        claimed_at: When each was made, by number.
        released: Those that led to no batch, as their claimant knows; their slots are free.
    """

    attempt: Attempt
    claimed_at: dict[int, datetime]
    released: frozenset[int]

    @classmethod
    def of(cls, store: ObjectStore, attempt: Attempt) -> Claims:
        claimed_at: dict[int, datetime] = {}
        released: set[int] = set()
        prefix = claims_prefix(attempt)
        for head in store.list(prefix):
            number, _, suffix = head.key[len(prefix) :].partition(".")
            if suffix:
                released.add(int(number))
            else:
                claimed_at[int(number)] = head.modified_at
        return cls(attempt, claimed_at, frozenset(released))

    @property
    def following(self) -> int:
        """The number of the claim to make next."""
        return max(self.claimed_at, default=0) + 1

    @property
    def unreleased(self) -> list[int]:
        """The claims that may have led to a batch."""
        return [number for number in sorted(self.claimed_at) if number not in self.released]

    def last_alone(self) -> Claims:
        """The only one whose slot may not have been looked for.

        Who makes a claim has first given back the slots of all that were there before it.
        """
        last = max(self.claimed_at, default=0)
        return replace(self, claimed_at={n: at for n, at in self.claimed_at.items() if n == last})

    def is_held(self, now: datetime, lease: timedelta) -> bool:
        """Whether an invocation may be creating the batch at this moment."""
        last = max(self.claimed_at, default=0)
        return bool(last) and last not in self.released and now - self.claimed_at[last] < lease


def claim_key(attempt: Attempt, number: int) -> str:
    return attempt_key(attempt, f"claim-{number}")


def release_claim(store: ObjectStore, attempt: Attempt, number: int) -> None:
    """Note that no batch came of this claim.

    Free its slot before: of a released claim the next claimant looks at no slot.
    """
    store.put_if_absent(f"{claim_key(attempt, number)}.released", b"{}")


def slot_of_claim(store: ObjectStore, attempt: Attempt, number: int) -> Slot | None:
    """The slot that a claim names; only the slot says whether the claim got it."""
    claim = BucketRecords(store).find(claim_key(attempt, number), Claim)
    parsed = parse_slot(claim.slot) if claim else None
    return parsed[0] if parsed else None
