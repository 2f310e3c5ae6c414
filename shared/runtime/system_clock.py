"""The real clock, and ids that are unique to one invocation; tests bring their own."""

from __future__ import annotations

import uuid
from datetime import datetime, timezone


class SystemClock:
    """The ``Clock`` of deployed functions."""

    def now(self) -> datetime:
        return datetime.now(timezone.utc)


def new_run_id() -> str:
    """Unique to this call.

    A request id is not: Function Compute's retries of one event share theirs.
    """
    return f"run-{uuid.uuid4().hex[:16]}"
