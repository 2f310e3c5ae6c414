"""Claims an attempt together with a slot for its batch.

A process that dies leaves neither behind for good.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from shared.bucket.attempt import Attempt
from shared.bucket.records.marks import Claim
from shared.bucket.slot_keys import Slot
from shared.pipeline.quota.admission import Admission
from shared.pipeline.quota.claims import Claims, claim_key, release_claim
from shared.pipeline.quota.slots import Slots, holder_of
from shared.ports.clock import Clock
from shared.ports.profile import SlotPool
from shared.ports.store import ObjectStore

# Each time this fails, another shard gets the slot. After so many it waits for a batch to end.
_TRIES = 5


class NotNow(str, Enum):
    """Why there is no right to create a batch at this moment."""

    CLAIMED = "claimed"  # another invocation has it
    WAITING = "waiting"  # there is no slot


@dataclass(frozen=True)
class HeldSlot:
    """The right to create one batch for ``attempt``.

    Give it back only when it is certain that there is no batch.
    """

    attempt: Attempt
    claim: int
    slot: Slot


@dataclass(frozen=True)
class ClaimSlot:
    """The claim comes first and names its slot: a takeover finds what a dead claimant held."""

    store: ObjectStore
    clock: Clock

    def __call__(self, pool: SlotPool, claims: Claims) -> HeldSlot | NotNow:
        attempt, admission = claims.attempt, Admission(self.store, self.clock)
        for number in range(claims.following, claims.following + _TRIES):
            slot = admission.choose(pool, attempt)
            if slot is None:
                return NotNow.WAITING
            claim = Claim(claimed_at=self.clock.now(), slot=slot.key)
            if not self.store.put_if_absent(claim_key(attempt, number), claim.to_bytes()):
                return NotNow.CLAIMED
            # Before taking the slot: the timer skips shards on the list, but must see a dead claim.
            admission.leave(pool, attempt)
            if Slots(self.store).take(slot, holder_of(attempt, number)):
                return HeldSlot(attempt, number, slot)
            release_claim(self.store, attempt, number)
        admission.wait(pool, attempt)
        return NotNow.WAITING

    def give_back(self, held: HeldSlot) -> None:
        """Free the slot first: of a released claim the next claimant looks at no slot."""
        Slots(self.store).give_back(held.slot, holder_of(held.attempt, held.claim))
        release_claim(self.store, held.attempt, held.claim)
