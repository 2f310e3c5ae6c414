"""Finds dropped files whose event was lost, or whose validation died, and has them validated."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from enum import Enum
from functools import partial
from heapq import nsmallest
from itertools import islice

from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import INBOX, INBOX_MARK
from shared.bucket.tickets import InboxMark
from shared.bucket.uploads import (
    AgainTicket,
    again_key,
    older_done_key,
    start_prefix,
    upload_done_key,
    upload_key,
)
from shared.events.oss import UploadedObject
from shared.inputs.inbox_keys import KeyRole, key_role_for
from shared.pipeline.deadlines import INBOX_MARKED_AFTER, INBOX_WINDOW
from shared.pipeline.reconcile.lull import Lull
from shared.pipeline.reconcile.step import Candidate
from shared.ports.clock import Clock
from shared.ports.store import ObjectHead, ObjectStore

log = logging.getLogger(__name__)

# What somebody dropped for an answer.
_ANSWERED = (KeyRole.INPUT, KeyRole.APPROVAL)

# What a run has in its memory; it has time to look at fewer.
_MOST_FILES = 20_000
# So often a run that may be cut short keeps what it knows; so many looks a later one repeats.
_MARKED_EVERY = 50
# So many files without an answer, as those that the function may not read, are remembered.
_MOST_UNANSWERED = 1_000


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

    It keeps a mark: all files before it are answered, but for those that it remembers. So it finds
    those that were dropped while nothing worked, for however long, and asks nothing about those
    that were answered long ago.

    Attributes:
        validate: Asks for the validation of an upload whose event was lost.
        lull: Learns whether all files have their answer.
        young: Those that may still get their answer without the timer.
    """

    store: ObjectStore
    clock: Clock
    older_than: timedelta
    validate: Callable[[UploadedObject], Asked]
    bucket: str
    lull: Lull
    name: str = "inbox"
    young: list[str] = field(default_factory=list)

    def candidates(self) -> Iterator[Candidate]:
        now = self.clock.now()
        found = BucketRecords(self.store).find(INBOX_MARK, InboxMark)
        mark = found or InboxMark(answered_until=now - INBOX_WINDOW)
        until = now - self.older_than
        heads = self._dropped(mark, until)
        answered: set[str] = set()
        listed = {head.key for head in heads}
        unanswered = {key: True for key in mark.unanswered if key in listed}
        for number, head in enumerate(heads, start=1):
            yield Candidate(_in_order(head), partial(self._repair, head, answered))
            if head.key in answered:
                unanswered.pop(head.key, None)
            else:  # or the last run looked at it, and was cut short behind it
                unanswered[head.key] = True
            if len(unanswered) > _MOST_UNANSWERED:
                until = min(until, head.modified_at)
            elif number % _MARKED_EVERY == 0:
                place = max((mark.answered_until, mark.key), _place(head))
                mark = self._mark(mark, *place, unanswered)
        self.lull.all_rests = not unanswered and not self.young and len(heads) < _MOST_FILES
        if len(heads) == _MOST_FILES:
            until = min(until, heads[-1].modified_at)
        has_fewer = len(unanswered) < len(mark.unanswered)
        # To move it over nothing saves no look, and names must not stay in it.
        has_moved = until - mark.answered_until >= INBOX_MARKED_AFTER and (heads or mark.key)
        if found is None or has_fewer or has_moved:
            self._mark(mark, until, "", unanswered)

    def _dropped(self, mark: InboxMark, until: datetime) -> list[ObjectHead]:
        since, unanswered = (mark.answered_until, mark.key), set(mark.unanswered)
        inputs = (head for head in self.store.list(INBOX) if key_role_for(head.key) in _ANSWERED)
        return nsmallest(
            _MOST_FILES,
            (
                head
                for head in inputs
                if self._is_late(head, until) and (_place(head) > since or head.key in unanswered)
            ),
            _place,
        )

    def _is_late(self, head: ObjectHead, until: datetime) -> bool:
        if head.modified_at > until:
            self.young.append(head.key)
            return False
        return True

    def _mark(self, mark: InboxMark, until: datetime, key: str, unanswered: Iterable[str]) -> InboxMark:
        first = tuple(islice(unanswered, _MOST_UNANSWERED))
        moved = mark.model_copy(update={"answered_until": until, "key": key, "unanswered": first})
        if moved != mark:
            self.store.put(INBOX_MARK, moved.to_bytes())
        return moved

    def _repair(self, listed: ObjectHead, answered: set[str]) -> bool:
        head = None if self._is_done(listed) else self.store.head(listed.key)
        # A symbolic link is listed by its own ETag; what was read is what HEAD tells of.
        if head is None or (head.etag != listed.etag and self._is_done(head)):
            answered.add(listed.key)
            return False
        if self._is_under_way(head):
            return False
        if self.validate(UploadedObject(self.bucket, listed.key, listed.etag)) is Asked.WAITING:
            return False  # repaired by an earlier run
        log.warning("upload.unnoticed", extra={"key": listed.key})
        return True

    def _is_done(self, head: ObjectHead) -> bool:
        if self.store.head(upload_done_key(self.bucket, head.key, head.etag, head.modified_at)):
            return True
        older = self.store.head(older_done_key(self.bucket, head.key, head.etag))
        return older is not None and older.modified_at >= head.modified_at

    def _is_under_way(self, head: ObjectHead) -> bool:
        upload = upload_key(self.bucket, head.key, head.etag, head.modified_at)
        starts = self.store.list(start_prefix(upload))
        return any(self.clock.now() - start.modified_at < self.older_than for start in starts)


def _place(head: ObjectHead) -> tuple[datetime, str]:
    """By when it was dropped; several of one moment by name."""
    return head.modified_at, head.key


def _in_order(head: ObjectHead) -> str:
    """The same order as text."""
    return f"{head.modified_at.astimezone(timezone.utc):%Y%m%dT%H%M%S.%f} {head.key}"
