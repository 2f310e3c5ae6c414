"""Finds dropped files whose event was lost, or whose validation died, and has them validated."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from enum import Enum
from functools import partial
from heapq import nsmallest

from shared.bucket.attempt import JobId
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import INBOX, INBOX_MARK, start_prefix
from shared.bucket.tickets import InboxMark
from shared.bucket.uploads import AgainTicket, Upload, again_key, upload_done_key, uploads_prefix
from shared.events.oss import UploadedObject
from shared.inputs.inbox_keys import KeyRole, key_role_for
from shared.pipeline.deadlines import INBOX_MARKED_AFTER, INBOX_WINDOW
from shared.pipeline.reconcile.step import Candidate
from shared.ports.clock import Clock
from shared.ports.store import ObjectHead, ObjectStore

log = logging.getLogger(__name__)

# What a run has in its memory; it has time to look at fewer.
_MOST_FILES = 20_000
_MARKED_EVERY = 500


class Asked(str, Enum):
    """Whether a validation was asked for now."""

    ASKED = "asked"
    WAITING = "waiting"  # it was asked for lately


@dataclass(frozen=True)
class AskAgain:
    """Puts the ticket that starts ``validate``, unless there is one younger than ``patience``."""

    store: ObjectStore
    clock: Clock
    patience: timedelta

    def __call__(self, upload: UploadedObject) -> Asked:
        key = again_key(upload.bucket, upload.key, upload.etag)
        asked = self.store.head(key)
        if asked and self.clock.now() - asked.modified_at < self.patience:
            return Asked.WAITING
        ticket = AgainTicket(bucket=upload.bucket, key=upload.key, etag=upload.etag)
        self.store.put(key, ticket.to_bytes())
        return Asked.ASKED


@dataclass(frozen=True)
class FindLostUploads:
    """A ``RepairStep`` over ``inbox/``, the oldest files first.

    It keeps a mark: all files before it are answered. So it finds those that were dropped while
    nothing worked, for however long, and asks nothing about those that were answered long ago.

    Attributes:
        validate: Asks for the validation of an upload whose event was lost.
    """

    store: ObjectStore
    clock: Clock
    older_than: timedelta
    validate: Callable[[UploadedObject], Asked]
    bucket: str
    name: str = "inbox"

    def candidates(self) -> Iterator[Candidate]:
        until = self.clock.now() - self.older_than
        mark = BucketRecords(self.store).find(INBOX_MARK, InboxMark)
        since = mark.answered_until if mark else self.clock.now() - INBOX_WINDOW
        heads = self._dropped(since, until)
        answered: set[str] = set()
        for number, head in enumerate(heads, start=1):
            yield Candidate(_in_time(head), partial(self._repair, head, answered))
            if head.key not in answered:
                until = min(until, head.modified_at)
            elif until > head.modified_at and number % _MARKED_EVERY == 0:
                since = self._mark(since, head.modified_at)
        if len(heads) == _MOST_FILES:
            until = min(until, heads[-1].modified_at)
        self._mark(since, until)

    def _dropped(self, since: datetime, until: datetime) -> list[ObjectHead]:
        inputs = (head for head in self.store.list(INBOX) if key_role_for(head.key) is KeyRole.INPUT)
        return nsmallest(
            _MOST_FILES, (head for head in inputs if since <= head.modified_at <= until), _in_time
        )

    def _mark(self, since: datetime, until: datetime) -> datetime:
        if until - since < INBOX_MARKED_AFTER:
            return since
        self.store.put(INBOX_MARK, InboxMark(answered_until=until).to_bytes())
        return until

    def _repair(self, head: ObjectHead, answered: set[str]) -> bool:
        done = self.store.head(upload_done_key(self.bucket, head.key, head.etag))
        # If it is older, the same bytes were dropped once more, and that event was lost.
        if done and done.modified_at >= head.modified_at:
            answered.add(head.key)
            return False
        if not done and self._is_under_way(head):
            return False
        if self.validate(UploadedObject(self.bucket, head.key, head.etag)) is Asked.WAITING:
            return False  # repaired by an earlier run
        log.warning("upload.unnoticed", extra={"key": head.key})
        return True

    def _is_under_way(self, head: ObjectHead) -> bool:
        records = BucketRecords(self.store)
        pointers = self.store.list(uploads_prefix(self.bucket, head.key, head.etag))
        uploads = (records.find(pointer.key, Upload) for pointer in pointers)
        return any(upload and self._was_started_lately(JobId(upload.job_id)) for upload in uploads)

    def _was_started_lately(self, job_id: JobId) -> bool:
        starts = self.store.list(start_prefix(job_id))
        return any(self.clock.now() - start.modified_at < self.older_than for start in starts)


def _in_time(head: ObjectHead) -> str:
    return f"{head.modified_at.astimezone(timezone.utc):%Y%m%dT%H%M%S.%f} {head.key}"
