"""What one account may hold and how often it may call."""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field

GB = 1024**3


@dataclass(frozen=True)
class Rate:
    """At most ``calls`` in any ``per_s`` seconds; a ``group`` of routes shares a count."""

    group: str
    calls: int
    per_s: float


_FILE_CALLS = Rate("files", 10, 1)

# Batches per minute; uploads 3 a second; querying, listing and deleting files 10 a second in all:
# https://help.aliyun.com/zh/model-studio/batch-interfaces-compatible-with-openai and the File API.
DOCUMENTED_RATES: Mapping[str, Rate] = {
    "files.upload": Rate("uploads", 3, 1),
    "files.retrieve": _FILE_CALLS,
    "files.list": _FILE_CALLS,
    "files.delete": _FILE_CALLS,
    "batches.create": Rate("create", 1000, 60),
    "batches.retrieve": Rate("retrieve", 1000, 60),
    "batches.cancel": Rate("cancel", 1000, 60),
    "batches.list": Rate("list", 100, 60),
}


@dataclass(frozen=True)
class AccountLimits:
    """The account's quotas; rates are off unless given (``DOCUMENTED_RATES``)."""

    max_files: int = 10_000
    max_total_bytes: int = 100 * GB
    max_unfinished: int = 1000
    max_unfinished_test: int = 2
    rates: Mapping[str, Rate] = field(default_factory=dict)


class RateLimiter:
    """Counts calls in sliding windows."""

    def __init__(self, rates: Mapping[str, Rate]) -> None:
        self._rates = rates
        self._calls: dict[str, deque[float]] = defaultdict(deque)
        self._lock = threading.Lock()

    def allows(self, route: str) -> bool:
        """Whether this call fits; a refused call does not count."""
        rate = self._rates.get(route)
        if rate is None:
            return True
        now = time.monotonic()
        with self._lock:
            calls = self._calls[rate.group]
            while calls and calls[0] <= now - rate.per_s:
                calls.popleft()
            if len(calls) >= rate.calls:
                return False
            calls.append(now)
        return True
