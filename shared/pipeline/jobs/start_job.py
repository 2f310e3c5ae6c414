"""The one gate to a job's tickets: what must be so before anything of it is sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.bucket.records import Plan
from shared.pipeline.jobs.job_tickets import JobTickets
from shared.pipeline.jobs.put_quote import PutQuote
from shared.ports.clock import Clock
from shared.ports.profile import ProviderProfile
from shared.ports.store import ObjectStore


@dataclass(frozen=True)
class StartJob:
    """Start an open job, or let it go on. Whoever comes to one calls it, however often.

    Attributes:
        profiles: By which its quote is written; whoever has none writes none.
    """

    store: ObjectStore
    clock: Clock
    profiles: Sequence[ProviderProfile] = ()

    def __call__(self, plan: Plan, *, is_new: bool = False) -> int:
        """Return how many tickets were put.

        Args:
            plan: The job's, which is not closed.
            is_new: This run has made it a moment ago, so it has no tickets yet.
        """
        if not plan.retry_of:
            PutQuote(self.store, self.profiles)(plan)
        tickets = JobTickets(self.store)
        return tickets.put_first(plan) if is_new else tickets.put_missing(plan)
