"""The port of the clock."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Time, as a port so that tests can set it."""

    def now(self) -> datetime:
        """An aware UTC time."""
