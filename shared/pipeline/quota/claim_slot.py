"""Claims an attempt together with a slot for its batch, so that a process that dies leaves neither behind for good."""

from __future__ import annotations

from dataclasses import dataclass

from shared.bucket.attempt import Attempt
from shared.bucket.keys import Slot
from shared.bucket.records import Claim
from shared.pipeline.quota.admission import Admission
from shared.pipeline.quota.claims import Claims, claim_key, release_claim
from shared.pipeline.quota.slots import Slots, holder_of
from shared.ports.clock import Clock
from shared.ports.profile import SlotPool
from shared.ports.store import ObjectStore

CLAIMED, WAITING = "claimed", "waiting"
# Each loss is another shard's gain. Who loses so often waits for the next batch that ends.
_TRIES = 5


@dataclass(frozen=True)
class HeldSlot:
    """The right to create one batch for ``attempt``; give it back once it is certain that there is no batch."""

    attempt: Attempt
    claim: int
    slot: Slot


@dataclass(frozen=True)
class ClaimSlot:
    """The claim comes first and names its slot: a takeover after a crash finds what the dead claimant held.

    Attributes:
        token: Unique to this invocation.
    """

    store: ObjectStore
    clock: Clock
    token: str

    def __call__(self, pool: SlotPool, claims: Claims) -> HeldSlot | str:
        """The right to create the batch; or ``CLAIMED`` if somebody else has it, ``WAITING`` if there is no slot."""
        attempt, admission = claims.attempt, Admission(self.store, self.clock)
        for number in range(claims.following, claims.following + _TRIES):
            slot = admission.choose(pool, attempt)
            if slot is None:
                return WAITING
            claim = Claim(token=self.token, claimed_at=self.clock.now(), slot=slot.key)
            if not self.store.put_if_absent(claim_key(attempt, number), claim.to_bytes()):
                return CLAIMED
            # Before the slot is taken: a shard on the list is never looked at by the timer, as a dead claim must be.
            admission.leave(pool, attempt)
            if Slots(self.store).take(slot, holder_of(attempt, number)):
                return HeldSlot(attempt, number, slot)
            release_claim(self.store, attempt, number)
        admission.wait(pool, attempt)
        return WAITING

    def give_back(self, held: HeldSlot) -> None:
        """Free slot and claim, in this order: while the claim stands, nobody builds upon what it held."""
        Slots(self.store).give_back(held.slot, holder_of(held.attempt, held.claim))
        release_claim(self.store, held.attempt, held.claim)
