"""Tells one event by one channel: the work of the function ``notify``."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from shared.bucket.bucket_records import BucketRecords
from shared.pipeline.words.is_so import IsSo
from shared.pipeline.words.silent_channels import SilentChannels
from shared.ports.channel import Channel
from shared.ports.clock import Clock
from shared.ports.store import ObjectStore
from shared.problems.exceptions import ChannelRefused
from shared.words.event import Event, Told, WordTicket
from shared.words.texts import word_for

log = logging.getLogger(__name__)


class TellResult(str, Enum):
    """What was done for one ticket, in one word for the log."""

    TOLD = "told"
    REFUSED = "refused"  # the timer puts the ticket again
    GIVEN_UP = "given_up"
    TOLD_BEFORE = "told_before"
    NOT_SO = "not_so"
    TAKEN = "taken"  # another run is at it
    GONE = "gone"


@dataclass(frozen=True)
class Tell:
    """Tell what the ticket says, at least once and with one id; more often only after a crash.

    It puts nothing below ``outbox/``, whose events start it: only the timer puts a ticket again. Of
    two runs for one ticket one delivers, by a claim for each time that the ticket was put.

    Attributes:
        channel: By ``kind:name``; raises ``ChannelRefused`` if there is none.
        link: Where the readers of a channel can look at the event's file.
        silent: Outlives this run: what waited for a channel in vain knows it for the next ones.
    """

    store: ObjectStore
    clock: Clock
    channel: Callable[[str], Channel]
    link: Callable[[str, Event], str | None] = lambda _channel, _event: None
    silent: SilentChannels = field(default_factory=SilentChannels)

    def __call__(self, key: str) -> TellResult:
        ticket = BucketRecords(self.store).find(key, WordTicket)
        if ticket is None or ticket.key != key:
            # Told meanwhile, or a later version's, which is left to it.
            log.info("word.gone", extra={"key": key})
            return TellResult.GONE
        if self.store.head(ticket.told_key):
            self.store.delete(key)
            return TellResult.TOLD_BEFORE
        if not IsSo(self.store)(ticket.event):
            log.info("word.withdrawn", extra=_facts(ticket))
            self.store.delete(key)
            return TellResult.NOT_SO
        if ticket.given_up:
            return self._give_up(ticket, "it was tried often enough")
        if not self._is_mine(ticket):
            return TellResult.TAKEN
        return self._tell(ticket)

    def _is_mine(self, ticket: WordTicket) -> bool:
        """Whether no other run is at it, or was until it died: then the timer's next try counts."""
        attempt = f"{ticket.tries_prefix}{ticket.tries}"
        return self.store.put_if_absent(attempt, self._problem(ticket))

    def _problem(self, ticket: WordTicket) -> bytes:
        """The code of what people must mend first, for ``untold_problems``; empty without one."""
        try:
            self.channel(ticket.channel)
        except ChannelRefused as refusal:
            return refusal.problem.encode()
        return b""

    def _tell(self, ticket: WordTicket) -> TellResult:
        now = self.clock.now()
        try:
            channel = self.channel(ticket.channel)
            self.silent.check(ticket.channel, now)
            word = word_for(ticket.event, self.link(ticket.channel, ticket.event))
            channel.deliver(word, now)
        except ChannelRefused as refusal:
            if refusal.is_silent:
                self.silent.add(ticket.channel, self.clock.now())
            if refusal.is_gone:
                return self._give_up(ticket, str(refusal))
            log.warning("word.refused", extra=_facts(ticket) | {"reason": str(refusal)})
            return TellResult.REFUSED
        self._note(ticket, given_up=False)
        log.info("word.told", extra=_facts(ticket))
        return TellResult.TOLD

    def _give_up(self, ticket: WordTicket, reason: str) -> TellResult:
        self._note(ticket, given_up=True)
        log.error("word.given_up", extra=_facts(ticket) | {"reason": reason})
        return TellResult.GIVEN_UP

    def _note(self, ticket: WordTicket, *, given_up: bool) -> None:
        told = Told(at=self.clock.now(), tries=ticket.tries + 1, given_up=given_up)
        self.store.put_if_absent(ticket.told_key, told.to_bytes())
        self.store.delete(ticket.key)


def _facts(ticket: WordTicket) -> dict[str, object]:
    event = ticket.event
    return {
        "job_id": event.job_id,
        "event_id": event.id,
        "kind": event.kind.value,
        "channel": ticket.channel,
        "tries": ticket.tries,
    }
