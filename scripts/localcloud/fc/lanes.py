"""One function's queue of asynchronous invocations: its rules, its order and its numbers."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field

from scripts.localcloud.fc.spool import Invocation


@dataclass(frozen=True)
class AsyncPolicy:
    """How one function's events are retried; all but the waits are Function Compute's defaults.

    The wait before the first retry is ``backoff_s``. It doubles with each retry, up to
    ``backoff_cap_s``. An event older than ``max_age_s`` is not tried again. ``concurrency`` should
    equal the function's number of workers.
    """

    max_retries: int = 3
    max_age_s: float = 18_000.0
    backoff_s: float = 0.5
    backoff_cap_s: float = 60.0
    concurrency: int = 2

    def wait_s(self, retry: int) -> float:
        return min(self.backoff_s * 2.0 ** min(retry - 1, 30), self.backoff_cap_s)


@dataclass(frozen=True)
class InvocationCounts:
    """One function's numbers since the start: ``failed`` attempts, but ``dead_lettered`` events."""

    accepted: int = 0
    dropped: int = 0
    succeeded: int = 0
    failed: int = 0
    dead_lettered: int = 0
    queued: int = 0
    running: int = 0


@dataclass(order=True)
class Due:
    """A delivery in the queue: ``at_s`` on the monotonic clock, then in the order of acceptance."""

    at_s: float
    order: int
    invocation: Invocation = field(compare=False)
    attempts: int = field(compare=False, default=0)


@dataclass
class Lane:
    """One function's queue, its threads and its numbers; guarded by the invoker's lock."""

    function: str
    policy: AsyncPolicy
    queue: list[Due] = field(default_factory=list)
    running: int = 0
    threads: list[threading.Thread] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
