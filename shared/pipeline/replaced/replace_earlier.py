"""Ends what still waits of the version of a file that lay there before; sent batches go on."""

from __future__ import annotations

from dataclasses import dataclass

from shared.bucket.attempt import JobId
from shared.bucket.base import Record
from shared.bucket.bucket_records import REPLACEMENT, BucketRecords
from shared.bucket.keys import Stage, job_tickets_prefix, record_key, ticket_in
from shared.bucket.records.plan import Plan
from shared.bucket.result_names import quote_keys_for
from shared.bucket.tickets import OVER_BUDGET, REPLACED, Replaced
from shared.pipeline.jobs.start_job import StartJob
from shared.pipeline.replaced.earlier_sample import note_earlier_sample
from shared.pipeline.replaced.newer_drop import newer_drop
from shared.pipeline.replaced.note_replaced import keep_name_for


class _Quoted(Record):
    """Of a quote for programs: whose it is."""

    job_id: str


@dataclass(frozen=True)
class ReplaceEarlier:
    """Finds the earlier job by the quote that it left beside the file.

    Somebody may have removed that. Then the timer finds a job that waits for an approval within the
    hour, and one that waits for money goes on when there is some.
    """

    start: StartJob

    def __call__(self, plan: Plan) -> None:
        """May be repeated; ``plan`` is the later version's, of which nothing was started yet."""
        store = self.start.store
        records = BucketRecords(store)
        earlier = self._quoted(plan)
        newer = newer_drop(store, earlier) if earlier else None
        if earlier is None or newer is None or newer.job_id != plan.job_id:
            return
        if not records.is_closed(JobId(earlier.job_id)):
            if earlier.approve_until:
                self.start(earlier)
            if any(each.scope != "job" for each in earlier.ceilings):
                self._wake(earlier, newer)
        decided = records.find_approval(JobId(earlier.job_id)) if earlier.approval else None
        if decided and decided.said == REPLACED:
            note_earlier_sample(records, earlier, plan)

    def _quoted(self, plan: Plan) -> Plan | None:
        records = BucketRecords(self.start.store)
        try:
            quoted = records.find(quote_keys_for(plan.source.key)[1], _Quoted)
        except ValueError:  # it is for people, and somebody has written over it
            return None
        if quoted is None or quoted.job_id == plan.job_id:
            return None
        earlier = records.find_plan(JobId(quoted.job_id))
        return earlier if earlier and earlier.source.key == plan.source.key else None

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
