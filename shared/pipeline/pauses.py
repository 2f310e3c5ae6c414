"""Stops long work in time, so that another invocation can go on with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.ports.clock import Clock
from shared.problems.exceptions import WorkLeft


@dataclass(frozen=True)
class StopAt:
    """A ``Pause``: from ``stop_at`` on no further piece is begun."""

    clock: Clock
    stop_at: datetime

    def __call__(self) -> None:
        if self.clock.now() >= self.stop_at:
            raise WorkLeft("the time of this invocation is over")
