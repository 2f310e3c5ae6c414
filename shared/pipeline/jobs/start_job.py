"""The one gate to a job's tickets: what must be so before anything of it is sent."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.bucket.attempt import JobId
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import awaited_key
from shared.bucket.records.plan import Plan
from shared.bucket.tickets import Awaited
from shared.pipeline.jobs.job_tickets import JobTickets
from shared.pipeline.quotes.put_quote import PutQuote
from shared.pipeline.replaced.newer_drop import newer_drop
from shared.pipeline.replaced.note_replaced import note_replaced
from shared.pipeline.sample.ask_again import ask_again, is_asked
from shared.pipeline.sample.sample_results import find_sample
from shared.pipeline.words.tell_approval import TellApproval
from shared.ports.clock import Clock
from shared.ports.profile import ProviderProfile
from shared.ports.store import ObjectStore

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class StartJob:
    """Start an open job, or let it go on. Whoever comes to one calls it, however often.

    Attributes:
        profiles: By which its quote is written; whoever has none writes none.
        ask_sample: Asks what a job's sample has not asked yet; who may not has ``validate`` do it.
        writes_records: The timer does not, and has ``validate`` decide of what was replaced.
    """

    store: ObjectStore
    clock: Clock
    profiles: Sequence[ProviderProfile] = ()
    ask_sample: Callable[[Plan], object] | None = None
    writes_records: bool = True

    def __call__(self, plan: Plan, *, is_new: bool = False) -> int:
        """Return how many tickets were put: none while it waits for an approval.

        Args:
            plan: The job's, which is not closed.
            is_new: This run has made it a moment ago, so it has no tickets yet.

        Raises:
            SampleUnderWay: Another run is asking the sample, and starts the job then.
        """
        if plan.sample is not None and not plan.retry_of:
            if self.ask_sample is not None:
                self.ask_sample(plan)
            elif not is_asked(self.store, plan):
                return int(ask_again(self.store, plan))
        if plan.approve_until and self._waits(plan, plan.approve_until):
            return 0
        self._quote(plan)
        tickets = JobTickets(self.store, self.clock)
        return tickets.put_first(plan) if is_new else tickets.put_missing(plan)

    def _quote(self, plan: Plan) -> None:
        """Write it, unless a later version of the file has its own there since."""
        if not self.profiles or (plan.retry_of and not plan.approval):  # nobody need read it
            return
        may_be_late = plan.sample is not None or plan.approval is not None
        if not may_be_late or newer_drop(self.store, plan) is None:
            PutQuote(self.store, self.profiles)(plan)

    def _quote_again(self, plan: Plan, newer: Plan) -> None:
        """Of the later version, if it was quoted before this one's sample had ended."""
        if plan.sample is not None and find_sample(BucketRecords(self.store), newer) is not None:
            self._quote(newer)

    def _waits(self, plan: Plan, until: datetime) -> bool:
        """Whether somebody may still approve it; when it is too late, ``submit`` closes it."""
        key = awaited_key(JobId(plan.job_id))
        if self._goes_on(plan, until):
            self.store.delete(key)
            return False
        awaited = Awaited(digest=plan.quote.digest if plan.quote else "", until=until)
        if self.store.put_if_absent(key, awaited.to_bytes()):
            log.info("approval.awaited", extra={"job_id": plan.job_id, "until": until.isoformat()})
        self._quote(plan)  # behind the mark: who has seen it may approve it
        TellApproval(self.store, self.clock)(plan)
        # Who approved or cancelled it meanwhile found no mark to remove.
        if self._goes_on(plan, until):
            self.store.delete(key)
            return False
        return True

    def _goes_on(self, plan: Plan, until: datetime) -> bool:
        records, job_id = BucketRecords(self.store), JobId(plan.job_id)
        is_over = self.clock.now() > until or records.is_cancelled(job_id)
        return is_over or records.find_approval(job_id) is not None or self._is_replaced(plan)

    def _is_replaced(self, plan: Plan) -> bool:
        """Whether nobody may approve it any more, since a later version of its file is a job."""
        newer = newer_drop(self.store, plan)
        if newer is None:
            return False
        if self.writes_records:
            note_replaced(self.store, self.clock, plan, newer)
            self._quote_again(plan, newer)
            return True
        ask_again(self.store, plan)
        return False
