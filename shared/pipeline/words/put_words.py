"""Puts an event into the outbox, once for each channel that is to tell it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from shared.ports.clock import Clock
from shared.ports.store import ObjectStore
from shared.words.event import Event, WordTicket


@dataclass(frozen=True)
class PutWords:
    """Whoever learns of an event calls it, however often: what was told is not told again."""

    store: ObjectStore
    clock: Clock

    def __call__(self, event: Event, channels: Iterable[str]) -> None:
        for channel in channels:
            ticket = WordTicket(event=event, channel=channel, put_at=self.clock.now())
            if self.store.head(ticket.told_key) is None:
                self.store.put_if_absent(ticket.key, ticket.to_bytes())
