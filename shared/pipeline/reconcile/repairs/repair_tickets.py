"""Puts tickets again whose event was lost, whose work died, or whose time has come."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property, partial

from shared.bucket.attempt import Attempt
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import AGAIN, BUDGET, Stage, ticket_key
from shared.bucket.money import Money
from shared.bucket.slot_keys import waiting_prefix
from shared.bucket.tickets import OVER_BUDGET, ReadyTicket
from shared.bucket.uploads import AgainTicket
from shared.pipeline.quota.admission import Admission, WaitingLists
from shared.pipeline.quota.claims import Claims
from shared.pipeline.reconcile.step import Candidate, overdue_tickets, some_of
from shared.ports.clock import Clock
from shared.ports.profile import SlotPool
from shared.ports.store import ObjectHead, ObjectStore

# Admission starts what waits for a slot. But a waiting shard whose own dead claim holds a slot
# might wait for itself. So each run looks at some of those that wait, and in time at all.
_QUEUED_LOOKS = 20


@dataclass(frozen=True)
class RepairReady:
    """A ``RepairStep``: puts the ticket again, as it is, so that its event fires again.

    Shards waiting for a slot keep their place; waiting is not counted as a repair.

    Attributes:
        month_budget: What the stack allows all files in a month.
    """

    store: ObjectStore
    clock: Clock
    older_than: timedelta
    lists: WaitingLists
    month_budget: Money | None = None
    name: str = "ready"

    def candidates(self) -> Iterator[Candidate]:
        queued = {
            ticket_key(Stage.READY, attempt): attempt
            for _, waiting in self.lists.by_pool
            for attempt in waiting
        }
        looked_at = set(some_of(queued, _QUEUED_LOOKS, self.clock.now()))
        for overdue in overdue_tickets(self.store, self.clock, Stage.READY, self.older_than, self._repair):
            if overdue.key in looked_at:
                yield Candidate(overdue.key, partial(self._repair_queued, queued[overdue.key], overdue))
            elif overdue.key not in queued:
                yield overdue

    def _repair(self, attempt: Attempt, head: ObjectHead) -> bool:
        records = BucketRecords(self.store)
        ticket = records.find_ready(attempt)
        if ticket is None:
            # Submitted meanwhile, or unreadable. An unreadable ticket is replaced only here.
            is_unreadable = self.store.head(ticket_key(Stage.READY, attempt)) is not None
            if is_unreadable:
                records.put_ready(attempt)
            return is_unreadable
        if ticket.not_before is not None and ticket.not_before > self.clock.now():
            if not self._has_a_new_budget(ticket, head):
                return False
            ticket = ticket.model_copy(update={"not_before": None})
        records.put_back(attempt, ticket)
        return True

    def _has_a_new_budget(self, ticket: ReadyTicket, head: ObjectHead) -> bool:
        """Whether it waits for money, and there is another budget since."""
        if ticket.waiting_for is None or ticket.waiting_for.code != OVER_BUDGET:
            return False
        if ticket.waiting_for.month_budget != self.month_budget:
            return True
        return self._budget is not None and self._budget.modified_at > head.modified_at

    @cached_property
    def _budget(self) -> ObjectHead | None:
        return self.store.head(BUDGET)

    def _repair_queued(self, attempt: Attempt, overdue: Candidate) -> bool:
        is_stuck = bool(Claims.of(self.store, attempt).unreleased)
        # A cancelled shard needs no slot.
        return (is_stuck or BucketRecords(self.store).is_cancelled(attempt.job_id)) and overdue.repair()


@dataclass(frozen=True)
class RepairFinished:
    """A ``RepairStep``: puts the ticket again, so that its event fires again."""

    store: ObjectStore
    clock: Clock
    older_than: timedelta
    name: str = "finished"

    def candidates(self) -> Iterator[Candidate]:
        return overdue_tickets(self.store, self.clock, Stage.FINISHED, self.older_than, self._repair)

    def _repair(self, attempt: Attempt, head: ObjectHead) -> bool:
        BucketRecords(self.store).put_finished(attempt, heard_from="timer")
        return True


@dataclass(frozen=True)
class RepairAgain:
    """A ``RepairStep``: puts the ticket again, so that ``validate`` looks for the file."""

    store: ObjectStore
    clock: Clock
    older_than: timedelta
    name: str = "again"

    def candidates(self) -> Iterator[Candidate]:
        for head in self.store.list(AGAIN):
            if self.clock.now() - head.modified_at >= self.older_than:
                yield Candidate(head.key, partial(self._repair, head.key))

    def _repair(self, key: str) -> bool:
        head = self.store.head(key)
        ticket = BucketRecords(self.store).find(key, AgainTicket)
        # FindLostUploads may have put it since it was listed.
        if head is None or self.clock.now() - head.modified_at < self.older_than:
            return False
        if ticket is None:
            self.store.delete(key)  # unreadable; FindLostUploads asks again if the file needs it
            return False
        self.store.put(key, ticket.to_bytes())
        return True


@dataclass(frozen=True)
class AdmitWaiting:
    """A ``RepairStep`` over the pools for which shards wait. Waiting is not counted as a repair."""

    store: ObjectStore
    clock: Clock
    lists: WaitingLists
    name: str = "waiting"

    def candidates(self) -> Iterator[Candidate]:
        for pool, waiting in self.lists.by_pool:
            yield Candidate(waiting_prefix(pool.name), partial(self._admit, pool, waiting))

    def _admit(self, pool: SlotPool, waiting: Mapping[Attempt, datetime]) -> bool:
        Admission(self.store, self.clock).admit(pool, waiting)
        return False
