"""What one kind of the timer's repairs looks like, so that one run can share its time among them."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Protocol

from shared.domain.keys import Stage, parse_shard_attempt
from shared.ports import Clock, ObjectHead, ObjectStore

log = logging.getLogger(__name__)


class RepairStep(Protocol):
    """One kind of repair: a cheap list of what may need it, and a look at each, which repairs it if it does."""

    @property
    def name(self) -> str:
        """Under which its repairs are counted, and under which the next run finds where this one stopped."""

    def overdue(self) -> Iterator[ObjectHead]:
        """What is worth a look by what a listing says alone, in the order of the keys."""

    def look(self, head: ObjectHead) -> bool:
        """Repair it if it needs that, and say whether it did. May be repeated, and killed anywhere.

        Raises:
            ConfigurationError: The operator must act; nothing else of this kind can be repaired now.
            PipelineError: This one cannot be repaired now.
        """


def overdue_tickets(
    store: ObjectStore, clock: Clock, stage: Stage, older_than: timedelta
) -> Iterator[ObjectHead]:
    now = clock.now()
    for head in store.list(stage.value):
        if parse_shard_attempt(head.key.removeprefix(stage.value)) is None:
            log.warning("ticket.foreign", extra={"key": head.key})
        elif now - head.modified_at >= older_than:
            yield head
