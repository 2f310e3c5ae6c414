"""Puts words again that no channel has taken yet, and in the end lets them be given up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from itertools import islice
from zlib import crc32

from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import OUTBOX
from shared.pipeline.deadlines import FIRST_BACKOFF, WORD_GIVEN_UP
from shared.pipeline.reconcile.step import Candidate
from shared.pipeline.waiting import backoff
from shared.ports.clock import Clock
from shared.ports.store import ObjectHead, ObjectStore
from shared.words.event import WordTicket

# Of one channel in a run, which is a minute: chats take 20, and one that does not answer must not
# hold up the others. Who has to wait for a turn is not put off further.
AT_ONCE = 10
# After an outage of a day nothing was tried, though a day has passed; and an event may be lost as
# often as a ticket is put. So those count that ``notify`` began.
LEAST_TRIES = 5


@dataclass(frozen=True)
class RetryWords:
    """A ``RepairStep``: its repairs are the words that are given up.

    A ticket whose event was lost looks like one that was refused, and is put again all the same.
    """

    store: ObjectStore
    clock: Clock
    name: str = "untold"
    put: Counter[str] = field(default_factory=Counter)

    def candidates(self) -> Iterator[Candidate]:
        for head in self.store.list(OUTBOX):
            if self.clock.now() - head.modified_at >= FIRST_BACKOFF:
                yield Candidate(head.key, partial(self._repair, head))

    def _repair(self, head: ObjectHead) -> bool:
        channel = head.key.rpartition("/")[2]
        if self.put[channel] >= AT_ONCE:
            return False
        ticket = BucketRecords(self.store).find(head.key, WordTicket)
        if (
            ticket is None
            or ticket.key != head.key
            or self.clock.now() - head.modified_at < _wait(head.key, ticket.tries)
        ):
            return False
        if self.store.head(head.key) != head:
            return False  # told meanwhile, or another run has put it
        self.put[channel] += 1
        given_up = self._is_over(ticket)
        changes = {"tries": ticket.tries + 1, "given_up": given_up}
        self.store.put(head.key, ticket.model_copy(update=changes).to_bytes())
        return given_up and not ticket.given_up

    def _is_over(self, ticket: WordTicket) -> bool:
        if self.clock.now() - ticket.put_at < WORD_GIVEN_UP or ticket.tries < LEAST_TRIES:
            return False
        begun = self.store.list(ticket.tries_prefix)
        return sum(1 for _ in islice(begun, LEAST_TRIES)) == LEAST_TRIES


def _wait(key: str, tries: int) -> timedelta:
    """Once to twice as long as others wait: of many that a chat refused, each has its own time."""
    return backoff(tries) * (1 + crc32(key.encode()) / 2**32)
