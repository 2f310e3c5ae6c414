"""The timer's work: whatever is overdue in any prefix is brought up again. It alone can finish every job."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from shared.domain.batches import BatchId
from shared.domain.errors import PipelineError, ProviderTrouble, QuotaReached
from shared.domain.events import UploadedObject
from shared.domain.file_kinds import KeyRole, key_role_for
from shared.domain.keys import (
    INBOX,
    JobId,
    ShardAttempt,
    Stage,
    parse_shard_attempt,
    start_prefix,
    ticket_key,
    upload_done_key,
    uploads_prefix,
)
from shared.domain.limits import BAILIAN_QUOTAS, POOLS
from shared.domain.records import RunningTicket, Upload
from shared.ports import BatchProvider, Clock, ObjectHead, ObjectStore
from shared.services.admission import Admission
from shared.services.ask_again import WAITING
from shared.services.bucket_records import BucketRecords
from shared.services.overdue_ready import OverdueReady
from shared.services.provider_questions import asked_of_provider, keep_running

log = logging.getLogger(__name__)

# How far back a lost upload event is looked for. Older files were dropped before there was a pipeline to see them.
INBOX_WINDOW = timedelta(hours=48)
_MAX_DOUBLINGS = 3
# One run of the timer, which is a minute; the other half of the provider's allowance is collect's.
_MAX_QUESTIONS = BAILIAN_QUOTAS.queries_per_minute // 2


@dataclass(frozen=True)
class Overdue:
    """How old a ticket or an inbox file may be before the timer acts on it."""

    ready: timedelta
    poll: timedelta
    finished: timedelta
    inbox: timedelta

    @classmethod
    def from_seconds(cls, ready: int, poll: int, finished: int, inbox: int) -> Overdue:
        return cls(*(timedelta(seconds=seconds) for seconds in (ready, poll, finished, inbox)))


@dataclass(frozen=True)
class Reconcile:
    """One run of the timer. It repairs by putting tickets again, so that the work itself stays with its function.

    Attributes:
        validate: Has an upload validated whose event was lost; says ``WAITING`` if it did so lately.
        budget: How long one run may take; what is left waits for the next run.
    """

    store: ObjectStore
    provider: BatchProvider
    clock: Clock
    overdue: Overdue
    validate: Callable[[UploadedObject], str]
    bucket: str
    budget: timedelta

    def __call__(self) -> dict[str, int]:
        """Run once and return the repairs by kind; anything but zero means that an event was lost or is late."""
        stop_at = self.clock.now() + self.budget
        repairs: Counter[str] = Counter()
        for step in (self._finished, self._ready, self._running, self._inbox):
            for repair in step():
                if repair:
                    repairs[repair] += 1
                if self.clock.now() > stop_at:
                    log.warning("reconcile.cut_short", extra={"repairs": dict(repairs)})
                    return dict(repairs)
        log.info("reconcile.finished", extra={"repairs": dict(repairs)})
        return dict(repairs)

    def _tickets(self, stage: Stage, older_than: timedelta) -> Iterator[tuple[ObjectHead, ShardAttempt]]:
        now = self.clock.now()
        for head in self.store.list(stage.value):
            unit = parse_shard_attempt(head.key.removeprefix(stage.value))
            if unit is None:
                log.warning("ticket.foreign", extra={"key": head.key})
            elif now - head.modified_at >= older_than:
                yield head, unit

    # Each step yields once for every object that it looked at, so that the budget holds: the repair's kind, or None.

    def _finished(self) -> Iterator[str | None]:
        for _, unit in self._tickets(Stage.FINISHED, self.overdue.finished):
            BucketRecords(self.store).put_finished(unit, heard_from="timer")
            yield "finished"

    def _ready(self) -> Iterator[str | None]:
        for pool in POOLS:
            Admission(self.store, self.clock).admit_next(pool)
        yield from OverdueReady(self.store, self.clock)(self._tickets(Stage.READY, self.overdue.ready))

    def _running(self) -> Iterator[str | None]:
        questions = 0
        for head, unit in self._tickets(Stage.RUNNING, self.overdue.poll):
            try:
                ticket = self._due(head, unit)
                questions += ticket is not None
                if questions > _MAX_QUESTIONS:
                    return  # asking puts a ticket off, so the next run comes to the others
                yield self._poll(unit, ticket) if ticket else None
            except (ProviderTrouble, QuotaReached) as error:  # noqa: PERF203  # one odd batch must not stop the others
                # The key, the region, the account, or enough asked for now: the next would be refused the same way.
                log.warning("poll.refused", extra={"unit": str(unit), "reason": str(error)})
                if isinstance(error, ProviderTrouble):
                    keep_running(self.store, self.clock.now(), unit, error)
                return
            except PipelineError as error:
                log.warning("poll.failed", extra={"unit": str(unit), "reason": str(error)})
                yield None

    def _due(self, head: ObjectHead, unit: ShardAttempt) -> RunningTicket | None:
        ticket = BucketRecords(self.store).find_running(unit)
        if ticket is None or self.clock.now() - head.modified_at < self._poll_interval(ticket):
            return None
        if self.store.head(ticket_key(Stage.FINISHED, unit)):
            return None  # collect is at it, or _finished will bring it up again
        return ticket

    def _poll(self, unit: ShardAttempt, ticket: RunningTicket) -> str | None:
        records = BucketRecords(self.store)
        if self._has_ended(ticket):
            records.put_finished(unit, heard_from="timer")
            return "running"
        records.put_running(unit, ticket.model_copy(update={"polls": ticket.polls + 1, "waiting_for": None}))
        return None

    def _poll_interval(self, ticket: RunningTicket) -> timedelta:
        """Bailian advises to poll no more than once a minute, and to back off."""
        return self.overdue.poll * (1 << min(ticket.polls, _MAX_DOUBLINGS))

    def _has_ended(self, ticket: RunningTicket) -> bool:
        if self.clock.now() >= ticket.deadline_at:
            return True
        with asked_of_provider():
            state = self.provider.status(BatchId(ticket.batch_id))
        return state is not None and state.status.is_terminal

    def _inbox(self) -> Iterator[str | None]:
        """Uploads whose event was lost, and those whose validation never came to its end."""
        now = self.clock.now()
        for head in self.store.list(INBOX):
            is_due = self.overdue.inbox <= now - head.modified_at < INBOX_WINDOW
            request_id = (
                self._unfinished_upload(head) if is_due and key_role_for(head.key) is KeyRole.INPUT else None
            )
            yield None if request_id is None else self._validate(head, request_id)

    def _validate(self, head: ObjectHead, request_id: str) -> str | None:
        try:
            said = self.validate(UploadedObject(self.bucket, head.key, head.etag, request_id))
        except PipelineError as error:
            log.warning("upload.failed", extra={"key": head.key, "reason": str(error)})
            return "inbox"
        if said == WAITING:
            return None  # repaired by an earlier run
        log.warning("upload.unnoticed", extra={"key": head.key})
        return "inbox"

    def _unfinished_upload(self, head: ObjectHead) -> str | None:
        """Under which request id the file must be validated again; ``None`` if that is done or still going on."""
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
        return any(self.clock.now() - start.modified_at < self.overdue.inbox for start in starts)
