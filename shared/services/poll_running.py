"""Asks the provider for the batches that nobody has spoken of, no more often than it advises."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from shared.domain.batches import BatchId
from shared.domain.keys import ShardAttempt, Stage, ticket_in, ticket_key
from shared.domain.records import RunningTicket
from shared.ports import BatchProvider, Clock, ObjectHead, ObjectStore
from shared.services.bucket_records import BucketRecords
from shared.services.repair_step import overdue_tickets

_MAX_DOUBLINGS = 3


@dataclass(frozen=True)
class PollRunning:
    """A ``RepairStep``: a batch that has ended, or is over its deadline, gets the ticket that nobody put.

    A poll rewrites its ticket, whose time is thereby that of the last poll.
    """

    store: ObjectStore
    provider: BatchProvider
    clock: Clock
    poll_after: timedelta
    name: str = "running"

    def overdue(self) -> Iterator[ObjectHead]:
        return overdue_tickets(self.store, self.clock, Stage.RUNNING, self.poll_after)

    def look(self, head: ObjectHead) -> bool:
        found = ticket_in(head.key)
        return found is not None and self._poll(head, found[1])

    def _poll(self, head: ObjectHead, unit: ShardAttempt) -> bool:
        records = BucketRecords(self.store)
        ticket = records.find_running(unit)
        if ticket is None or self.clock.now() - head.modified_at < self._poll_interval(ticket):
            return False
        if self.store.head(ticket_key(Stage.FINISHED, unit)):
            return False  # collect is at it, or RepairFinished will bring it up again
        if self._has_ended(ticket):
            records.put_finished(unit, heard_from="timer")
            return True
        records.put_running(unit, ticket.model_copy(update={"polls": ticket.polls + 1}))
        return False

    def _poll_interval(self, ticket: RunningTicket) -> timedelta:
        """Bailian advises to poll no more than once a minute, and to back off."""
        return self.poll_after * (1 << min(ticket.polls, _MAX_DOUBLINGS))

    def _has_ended(self, ticket: RunningTicket) -> bool:
        if self.clock.now() >= ticket.deadline_at:
            return True
        state = self.provider.status(BatchId(ticket.batch_id))
        return state is not None and state.status.is_terminal
