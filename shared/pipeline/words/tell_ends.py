"""What is to be told of a file that was refused, or of a job that has ended."""

from __future__ import annotations

from dataclasses import dataclass

from shared.bucket.attempt import JobId, job_id_for
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import INBOX
from shared.bucket.records.ledger import Ledger
from shared.bucket.records.plan import Plan, Source
from shared.bucket.result_names import rejection_keys_for
from shared.bucket.tickets import LAPSED, REPLACED
from shared.pipeline.words.find_channels import channels_of_refused
from shared.pipeline.words.put_words import PutWords
from shared.ports.clock import Clock
from shared.ports.store import ObjectStore
from shared.problems.problem import ProblemList
from shared.words.event import Event, EventKind, event_id_for

_UNSENT = {LAPSED: "not_approved", REPLACED: "replaced"}


@dataclass(frozen=True)
class TellEnds:
    """Puts the event into the outbox for every channel that the recipe or the folder names."""

    store: ObjectStore
    clock: Clock

    def refused(self, source: Source, problems: ProblemList) -> None:
        channels = channels_of_refused(self.store, source.key)
        if not channels:
            return
        kind = EventKind.REFUSED
        identity = (source.bucket, source.key, source.etag, source.dropped_at.isoformat())
        event = Event(
            id=event_id_for(kind, *identity),
            kind=kind,
            job_id=job_id_for(source.bucket, source.key, source.etag, source.recipe_etag),
            path=source.key.removeprefix(INBOX),
            by_code=problems.by_code,
            place=rejection_keys_for(source.key)[0],
            at=self.clock.now(),
        )
        PutWords(self.store, self.clock)(event, channels)

    def closed(self, plan: Plan, ledger: Ledger) -> None:
        """Of a job that an older version planned nobody is told: it knew no channels."""
        if not plan.notify:
            return
        is_whole = ledger.answered == ledger.rows_out
        kind = EventKind.DONE if is_whole else EventKind.FAILED_ROWS
        event = Event(
            id=event_id_for(kind, plan.job_id),
            kind=kind,
            job_id=JobId(plan.job_id),
            path=plan.source.key.removeprefix(INBOX),
            rows=ledger.rows_out,
            by_status=ledger.by_status,
            by_code={**ledger.misfits, **self._unsent(plan, ledger)},
            tokens=ledger.tokens.total,
            cost=ledger.bill.cost if ledger.bill else None,
            saved=ledger.bill.saved if ledger.bill else None,
            place=ledger.result_key,
            at=ledger.closed_at,
        )
        PutWords(self.store, self.clock)(event, plan.notify)

    def _unsent(self, plan: Plan, ledger: Ledger) -> dict[str, int]:
        """How many were not sent, since nobody approved it in time or a later version is there."""
        if plan.approval is None or ledger.batches:
            return {}
        decided = BucketRecords(self.store).find_approval(JobId(plan.job_id))
        code = _UNSENT.get(decided.said) if decided else None
        return {code: ledger.rows_out - ledger.rows_not_sent - ledger.answered} if code else {}
