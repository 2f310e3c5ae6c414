"""Closes an attempt that is not sent, while no other invocation can create its batch."""

from __future__ import annotations

from dataclasses import dataclass

from shared.bucket.attempt import Attempt
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import attempt_key
from shared.bucket.records.marks import Claim
from shared.bucket.records.plan import Plan
from shared.bucket.records.submission import Submission
from shared.pipeline.quota.admission import Admission
from shared.pipeline.quota.claim_slot import HeldSlot, NotNow
from shared.pipeline.quota.claims import Claims, claim_key
from shared.pipeline.quota.slots import Slots, holder_of
from shared.pipeline.submit.decision import Close
from shared.ports.clock import Clock
from shared.ports.profile import SlotPool
from shared.ports.store import ObjectStore


@dataclass(frozen=True)
class CloseUnsent:
    """Both ways return the submission that stands."""

    store: ObjectStore
    clock: Clock

    def with_a_claim(self, plan: Plan, pool: SlotPool, claims: Claims, close: Close) -> Submission | NotNow:
        """Needs no slot, but a claim: beside it no other invocation creates a batch."""
        attempt = claims.attempt
        claim = Claim(claimed_at=self.clock.now())
        if not self.store.put_if_absent(claim_key(attempt, claims.following), claim.to_bytes()):
            return NotNow.CLAIMED
        Admission(self.store, self.clock).leave(pool, attempt)
        return self._record(plan, attempt, close)

    def with_a_slot(self, plan: Plan, held: HeldSlot, close: Close) -> Submission:
        """The claim stands already, with a slot that is free afterwards."""
        submission = self._record(plan, held.attempt, close)
        Slots(self.store).give_back(held.slot, holder_of(held.attempt, held.claim))
        return submission

    def _record(self, plan: Plan, attempt: Attempt, close: Close) -> Submission:
        mine = Submission.without_batch(
            close.kind, plan, attempt, self.clock.now(), code=close.code, message=close.message
        )
        return BucketRecords(self.store).create(attempt_key(attempt, "submission.json"), mine)
