"""Tells that a job waits until somebody approves its quote."""

from __future__ import annotations

from dataclasses import dataclass

from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import INBOX
from shared.bucket.records.plan import Plan
from shared.bucket.result_names import quote_keys_for
from shared.money.quotes.sample_text import quote_by
from shared.pipeline.sample.sample_results import find_sample
from shared.pipeline.words.put_words import PutWords
from shared.ports.clock import Clock
from shared.ports.store import ObjectStore
from shared.words.event import Event, EventKind, event_id_for


@dataclass(frozen=True)
class TellApproval:
    """Puts the event into the outbox for each channel of the job, once."""

    store: ObjectStore
    clock: Clock

    def __call__(self, plan: Plan) -> None:
        if not plan.notify:
            return
        kind, sample = EventKind.APPROVAL, find_sample(BucketRecords(self.store), plan)
        quote = plan.quote and quote_by(plan.quote, sample.figures if sample else None)
        event = Event(
            id=event_id_for(kind, plan.job_id),
            kind=kind,
            job_id=plan.job_id,
            path=plan.source.key.removeprefix(INBOX),
            rows=plan.rows,
            cost=quote.expected if quote else None,
            at_most=quote.at_most if quote else None,
            until=plan.approve_until,
            place=quote_keys_for(plan.source.key)[0],
            at=plan.created_at,
        )
        PutWords(self.store, self.clock)(event, plan.notify)
