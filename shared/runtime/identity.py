"""Names for what one invocation does before anything is decided."""

from __future__ import annotations

import uuid


def new_run_id() -> str:
    """Unique to this call. A request id is not: Function Compute's retries of one event share theirs."""
    return f"run-{uuid.uuid4().hex[:16]}"
