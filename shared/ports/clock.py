"""Time, so that tests can make it."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Time, so that tests can make it."""

    def now(self) -> datetime:
        """An aware UTC time."""
