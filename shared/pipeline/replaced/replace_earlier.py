"""Ends what still waits of versions of a file that lay there before; sent batches go on."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from shared.bucket.attempt import JobId
from shared.bucket.bucket_records import REPLACEMENT, BucketRecords
from shared.bucket.keys import Stage, job_tickets_prefix, record_key, ticket_in
from shared.bucket.records.plan import Plan
from shared.bucket.tickets import OVER_BUDGET, Replaced
from shared.pipeline.jobs.start_job import StartJob
from shared.pipeline.replaced.earlier_versions import has_monthly_ceiling, versions_not_sent
from shared.pipeline.replaced.newer_drop import newer_drop
from shared.pipeline.replaced.note_replaced import keep_name_for
from shared.pipeline.sample.ask_sample import SampleUnderWay


@dataclass(frozen=True)
class ReplaceEarlier:
    """Finds them by the marks that they left when they were planned."""

    start: StartJob

    def __call__(self, plan: Plan) -> None:
        """May be repeated; ``plan`` is the later version's, of which nothing was started yet."""
        records = BucketRecords(self.start.store)
        for earlier in versions_not_sent(records, plan):
            if records.is_closed(JobId(earlier.job_id)):
                continue
            newer = newer_drop(self.start.store, earlier)
            if newer is None or newer.job_id != plan.job_id:
                return  # the file was replaced once more, and that version sees to it
            self._end(earlier, newer)

    def _end(self, earlier: Plan, newer: Plan) -> None:
        decided = BucketRecords(self.start.store).find_approval(JobId(earlier.job_id))
        if earlier.approve_until and not (decided and decided.is_approved):
            # The run that asks its sample ends it, or the timer does if that has died.
            with suppress(SampleUnderWay):
                self.start(earlier)
        if has_monthly_ceiling(earlier):
            self._wake(earlier, newer)

    def _wake(self, earlier: Plan, newer: Plan) -> None:
        """Have its shards looked at that wait for a month's money: they are not to be sent."""
        store, job_id = self.start.store, JobId(earlier.job_id)
        keep_name_for(store, earlier, newer)
        record = Replaced(job_id=newer.job_id, at=self.start.clock.now())
        store.put_if_absent(record_key(job_id, REPLACEMENT), record.to_bytes())
        records = BucketRecords(store)
        for head in store.list(job_tickets_prefix(Stage.READY, job_id)):
            found = ticket_in(head.key)
            ticket = records.find_ready(found[1]) if found else None
            if found and ticket and ticket.waiting_for and ticket.waiting_for.code == OVER_BUDGET:
                records.put_back(found[1], ticket.model_copy(update={"not_before": None}))
