"""What one kind of the timer's repairs looks like, so that one run can share its time among them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Protocol

from shared.bucket.attempt import Attempt, parse_attempt
from shared.bucket.keys import Stage
from shared.ports.clock import Clock
from shared.ports.store import ObjectHead, ObjectStore

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Candidate:
    """Something that may need repair by what a listing alone says of it.

    Attributes:
        key: Unique in its step, and in the step's order: the next run goes on after the last one that had its turn.
        repair: Looks at it, repairs it if it needs that, and says whether it did. It may be repeated, and killed
            anywhere. A ``ConfigurationError`` ends the step for this run, since the next one would be refused the same
            way; any other ``PipelineError`` is this candidate's alone.
    """

    key: str
    repair: Callable[[], bool]


class RepairStep(Protocol):
    """One kind of repair."""

    @property
    def name(self) -> str:
        """Its kind and, if it is for one, the provider; the next run finds by it where to go on."""

    def candidates(self) -> Iterator[Candidate]:
        """In the order of their keys. Cheap: everything that takes a call for each belongs into ``repair``."""


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
