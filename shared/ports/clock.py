"""The ports of the clock, and of an invocation's own time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Time, as a port so that tests can set it."""

    def now(self) -> datetime:
        """An aware UTC time."""


Pause = Callable[[], None]
"""Called by long work after each piece that is kept; raises ``WorkLeft`` if the time is over."""


def no_pause() -> None:
    """The work may take as long as it needs."""
