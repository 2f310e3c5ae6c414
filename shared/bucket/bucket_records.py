"""Reads and writes records and tickets. It alone knows which model lies under which key."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import TypeVar

from pydantic import ValidationError

from shared.bucket.attempt import Attempt, JobId
from shared.bucket.base import Record
from shared.bucket.keys import (
    JOBS,
    WORK,
    Stage,
    attempt_key,
    borrowing_key,
    name_claim_key,
    record_key,
    settled_key,
    settled_prefix,
    ticket_key,
)
from shared.bucket.records.ledger import Ledger
from shared.bucket.records.outcome import Outcome, SettledShard
from shared.bucket.records.plan import Plan, Source
from shared.bucket.records.submission import Submission
from shared.bucket.tickets import Approval, FinishedTicket, ReadyTicket, Replaced, RunningTicket
from shared.bucket.uploads import (
    Start,
    Upload,
    is_of_older_version,
    may_wait_prefix,
    tells_drafts,
    upload_key,
    uploads_prefix,
)
from shared.ports.store import ObjectHead, ObjectStore
from shared.problems.exceptions import ObjectMissing

# The record of a job that stops its sending.
CANCELLATION = "cancel.json"
DROPPED_AGAIN = "dropped-again.json"
APPROVAL = "approval.json"
REPLACEMENT = "replaced.json"
AnyRecord = TypeVar("AnyRecord", bound=Record)


class BucketRecords:
    """The ledger: immutable records, created once, and tickets, which are put and deleted."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def find(self, key: str, model: type[AnyRecord]) -> AnyRecord | None:
        """The record, or ``None``, also for what is no such record: we did not write that."""
        try:
            return model.model_validate_json(self._store.get(key))
        except (ObjectMissing, ValidationError):
            return None

    def create(self, key: str, record: AnyRecord) -> AnyRecord:
        """Create the record unless there is one. Callers must follow the one that is returned."""
        if self._store.put_if_absent(key, record.to_bytes()):
            return record
        return type(record).model_validate_json(self._store.get(key))

    def find_plan(self, job_id: JobId) -> Plan | None:
        return self.find(record_key(job_id, "plan.json"), Plan)

    def find_upload(self, source: Source) -> Upload | None:
        """What says which job the upload became, if it was looked at."""
        mine = upload_key(source.bucket, source.key, source.etag, source.dropped_at)
        for head in self._store.list(uploads_prefix(source.bucket, source.key, source.etag)):
            # Of an older version only the time tells: it noted this upload after it was there.
            is_mine = is_of_older_version(head.key) and head.modified_at >= source.dropped_at
            upload = self.find(head.key, Upload) if is_mine or head.key == mine else None
            if upload:
                return upload
        return None

    def stray_drafts(self, bucket: str, key: str, etag: str) -> Iterator[tuple[str, datetime]]:
        """Prefixes of what runs of ``validate`` wrote that came to no job, and when they started.

        A late one may be alive.
        """
        heads = list(self._store.list(uploads_prefix(bucket, key, etag)))
        of_jobs = tuple(f"{WORK}{job_id}/" for job_id in self._uploaded_as(heads))
        for head in heads:
            start = self.find(head.key, Start) if tells_drafts(head.key) else None
            if start and not start.drafts.startswith(of_jobs):
                yield start.drafts, head.modified_at

    def _uploaded_as(self, heads: Iterable[ObjectHead]) -> Iterator[JobId]:
        """The jobs of these uploads, but for one that never got its plan and never will.

        That of the last drop may still get it; by an earlier one's event the last one is found.
        """
        found = (self.find(head.key, Upload) for head in heads if not tells_drafts(head.key))
        jobs = [JobId(upload.job_id) for upload in found if upload]
        yield from (job_id for job_id in jobs if job_id == jobs[-1] or self.find_plan(job_id))

    def jobs_that_may_wait(self, source_key: str) -> Iterator[JobId]:
        """Which jobs a file was that had to wait for something, the newest first."""
        for head in self._store.list(may_wait_prefix(source_key)):
            yield JobId(head.key.rpartition("-")[2])

    def find_ledger(self, job_id: JobId) -> Ledger | None:
        return self.find(record_key(job_id, "ledger.json"), Ledger)

    def is_closed(self, job_id: JobId) -> bool:
        return self._store.head(record_key(job_id, "ledger.json")) is not None

    def claim_name(self, result_key: str, source_key: str) -> bool:
        """Whether the dropped file owns a result's name, from now on if nobody did.

        See ``name_claim_key``.
        """
        owner = hashlib.sha256(source_key.encode()).hexdigest().encode()
        is_free = self._store.put_if_absent(name_claim_key(result_key), owner)
        return is_free or self.owns_name(result_key, source_key) is True

    def owns_name(self, result_key: str, source_key: str) -> bool | None:
        """Whether the dropped file owns a result's name; ``None`` if nobody does."""
        try:
            owner = self._store.get(name_claim_key(result_key))
        except ObjectMissing:
            return None
        # Versions before 26.11 wrote the name itself.
        return owner in (hashlib.sha256(source_key.encode()).hexdigest().encode(), source_key.encode())

    def is_cancelled(self, job_id: JobId) -> bool:
        """Whether somebody has asked that nothing more of the job be sent."""
        return self._store.head(record_key(job_id, CANCELLATION)) is not None

    def find_approval(self, job_id: JobId) -> Approval | None:
        """What was decided of a job that waited for an approval."""
        return self.find(record_key(job_id, APPROVAL), Approval)

    def find_replacement(self, job_id: JobId) -> Replaced | None:
        """Which job the file became since, if its own ended what waits of this one for money."""
        return self.find(record_key(job_id, REPLACEMENT), Replaced)

    def find_submission(self, attempt: Attempt) -> Submission | None:
        return self.find(attempt_key(attempt, "submission.json"), Submission)

    def find_outcome(self, attempt: Attempt) -> Outcome | None:
        return self.find(attempt_key(attempt, "outcome.json"), Outcome)

    def submissions(self, job_id: JobId) -> Iterator[tuple[str, Submission]]:
        """Those of all the job's attempts, each with its key."""
        return self._of_attempts(job_id, "submission.json", Submission)

    def outcomes(self, job_id: JobId) -> Iterator[tuple[str, Outcome]]:
        """Those of all the job's attempts, each with its key."""
        return self._of_attempts(job_id, "outcome.json", Outcome)

    def _of_attempts(
        self, job_id: JobId, name: str, model: type[AnyRecord]
    ) -> Iterator[tuple[str, AnyRecord]]:
        for head in list(self._store.list(f"{JOBS}{job_id}/")):
            if head.key.endswith(f"/{name}") and (found := self.find(head.key, model)):
                yield head.key, found

    def find_settled(self, job_id: JobId, shard: int) -> SettledShard | None:
        return self.find(settled_key(job_id, shard), SettledShard)

    def find_decided(self, job_id: JobId, shard: int) -> SettledShard | None:
        """The same, or what is known of a shard that only waits for the answers of others."""
        return self.find_settled(job_id, shard) or self.find(borrowing_key(job_id, shard), SettledShard)

    def undecided(self, job_id: JobId, shards: Sequence[int]) -> Iterator[int]:
        """Which of these shards have rows that were sent and are not settled; as ``unsettled``."""
        prefix = settled_prefix(job_id)
        listed = {head.key for head in self._store.list(prefix)} if len(shards) > 1 else set()
        for shard in shards:
            is_listed = not listed.isdisjoint((settled_key(job_id, shard), borrowing_key(job_id, shard)))
            if not is_listed and self.find_decided(job_id, shard) is None:
                yield shard

    def unsettled(self, job_id: JobId, shards: Sequence[int]) -> Iterator[int]:
        """Which of these shards are not settled: one listing for all, and none for none or one.

        Lists may lag behind what was written
        (https://cloud.tencent.com/document/product/436/7734), so what they lack is read by its key.
        """
        listed = {head.key for head in self._store.list(settled_prefix(job_id))} if len(shards) > 1 else set()
        for shard in shards:
            is_listed = settled_key(job_id, shard) in listed
            if not is_listed and self.find_settled(job_id, shard) is None:
                yield shard

    def find_ready(self, attempt: Attempt) -> ReadyTicket | None:
        return self.find(ticket_key(Stage.READY, attempt), ReadyTicket)

    def find_running(self, attempt: Attempt) -> RunningTicket | None:
        return self.find(ticket_key(Stage.RUNNING, attempt), RunningTicket)

    def has_ticket(self, stage: Stage, attempt: Attempt) -> bool:
        return self._store.head(ticket_key(stage, attempt)) is not None

    def put_ready(self, attempt: Attempt, not_before: datetime | None = None) -> None:
        self.put_back(attempt, ReadyTicket(not_before=not_before))

    def put_back(self, attempt: Attempt, ticket: ReadyTicket) -> None:
        """Put a ``ready/`` ticket with all that it remembers; ``submit`` is started by it."""
        self._store.put(ticket_key(Stage.READY, attempt), ticket.to_bytes())

    def put_running(self, attempt: Attempt, ticket: RunningTicket) -> None:
        self._store.put(ticket_key(Stage.RUNNING, attempt), ticket.to_bytes())

    def put_finished(self, attempt: Attempt, heard_from: str) -> None:
        self._store.put(ticket_key(Stage.FINISHED, attempt), FinishedTicket(heard_from=heard_from).to_bytes())

    def create_finished(self, attempt: Attempt, heard_from: str) -> bool:
        """Put the ticket unless there is one, and say whether. Only the timer repeats one."""
        ticket = FinishedTicket(heard_from=heard_from)
        return self._store.put_if_absent(ticket_key(Stage.FINISHED, attempt), ticket.to_bytes())

    def drop_ticket(self, stage: Stage, attempt: Attempt) -> None:
        self._store.delete(ticket_key(stage, attempt))
