"""What one kind of the timer's repairs must offer, so that one run can share its time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol
from zlib import crc32

from shared.bucket.attempt import Attempt, parse_attempt
from shared.bucket.keys import Stage
from shared.ports.clock import Clock
from shared.ports.store import ObjectHead, ObjectStore

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Candidate:
    """Something that may need repair, as far as a listing can tell.

    Attributes:
        key: Unique in its step, and in the step's order: the next run goes on after this key.
        repair: Looks closer, repairs if necessary, and says whether it did. It may be repeated, and
            killed anywhere. A ``ConfigurationError`` ends the step for this run, since the next
            candidate would be refused, too. Other ``PipelineError`` concern this candidate alone.
    """

    key: str
    repair: Callable[[], bool]


class RepairStep(Protocol):
    """One kind of repair."""

    @property
    def name(self) -> str:
        """Its kind and its provider, if it has one. By it the next run finds where to go on."""

    def candidates(self) -> Iterator[Candidate]:
        """In the order of their keys. Calls for a single candidate belong into ``repair``."""


def some_of(keys: Iterable[str], at_most: int, now: datetime) -> list[str]:
    """Some of them, in order. Random by the minute: each has its turn, whenever the timer runs."""
    minute = int(now.timestamp() // 60)
    return sorted(sorted(keys, key=lambda key: crc32(f"{minute} {key}".encode()))[:at_most])


def overdue_tickets(
    store: ObjectStore,
    clock: Clock,
    stage: Stage,
    older_than: timedelta,
    repair: Callable[[Attempt, ObjectHead], bool],
) -> Iterator[Candidate]:
    """The tickets of one stage that are older than that."""
    for head in store.list(stage.value):
        attempt = parse_attempt(head.key.removeprefix(stage.value))
        if attempt is None:
            log.warning("ticket.foreign", extra={"key": head.key})
        elif clock.now() - head.modified_at >= older_than:
            yield Candidate(head.key, partial(repair, attempt, head))
