"""The real clock; tests bring their own."""

from __future__ import annotations

from datetime import datetime, timezone


class SystemClock:
    """The ``Clock`` of deployed functions."""

    def now(self) -> datetime:
        return datetime.now(timezone.utc)
