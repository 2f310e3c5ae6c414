"""Finds dropped files whose event was lost, or whose validation died, and has them validated."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from functools import partial

from shared.bucket.attempt import JobId
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import INBOX, start_prefix
from shared.bucket.uploads import AgainTicket, Upload, again_key, upload_done_key, uploads_prefix
from shared.events.oss import UploadedObject
from shared.inputs.inbox_keys import KeyRole, key_role_for
from shared.pipeline.deadlines import INBOX_WINDOW
from shared.pipeline.reconcile.step import Candidate
from shared.ports.clock import Clock
from shared.ports.store import ObjectHead, ObjectStore

log = logging.getLogger(__name__)


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
        ticket = AgainTicket(
            bucket=upload.bucket, key=upload.key, etag=upload.etag, request_id=upload.request_id
        )
        self.store.put(key, ticket.to_bytes())
        return Asked.ASKED


@dataclass(frozen=True)
class FindLostUploads:
    """A ``RepairStep`` over ``inbox/``.

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
        for head in self.store.list(INBOX):
            is_due = self.older_than <= self.clock.now() - head.modified_at < INBOX_WINDOW
            if is_due and key_role_for(head.key) is KeyRole.INPUT:
                yield Candidate(head.key, partial(self._repair, head))

    def _repair(self, head: ObjectHead) -> bool:
        request_id = self._unfinished_upload(head)
        if request_id is None:
            return False
        upload = UploadedObject(self.bucket, head.key, head.etag, request_id)
        if self.validate(upload) is Asked.WAITING:
            return False  # repaired by an earlier run
        log.warning("upload.unnoticed", extra={"key": head.key})
        return True

    def _unfinished_upload(self, head: ObjectHead) -> str | None:
        """The request id for validating the file again; ``None`` if that is done or running."""
        done = self.store.head(upload_done_key(self.bucket, head.key, head.etag))
        if done and done.modified_at >= head.modified_at:
            return None
        records = BucketRecords(self.store)
        # The same bytes dropped once more: an upload of its own, whose event was lost.
        request_id = f"timer-{head.modified_at.isoformat()}"
        if done:
            return request_id
        for pointer in self.store.list(uploads_prefix(self.bucket, head.key, head.etag)):
            upload = records.find(pointer.key, Upload)
            if upload:
                request_id = upload.request_id
                if self._was_started_lately(JobId(upload.job_id)):
                    return None
        return request_id

    def _was_started_lately(self, job_id: JobId) -> bool:
        starts = self.store.list(start_prefix(job_id))
        return any(self.clock.now() - start.modified_at < self.older_than for start in starts)
