"""Waiting for another thread or process, without sleeping for a guessed time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

# A test that waits for something gives up only where it will never come: CI's machines are shared,
# and what takes a second alone has taken more than thirty there. No test measures time by it.
PATIENCE_S = 300.0


def wait_until(
    condition: Callable[[], T | None],
    complaint: str | Callable[[], str],
    *,
    every_s: float = 0.02,
    within_s: float = PATIENCE_S,
) -> T:
    """Return what holds as soon as it does; after ``within_s``, fail with the complaint."""
    ends_s = time.monotonic() + within_s
    while not (found := condition()):
        if time.monotonic() > ends_s:
            said = complaint if isinstance(complaint, str) else complaint()
            raise AssertionError(f"waited {within_s:.0f} s in vain: {said}")
        time.sleep(every_s)
    return found
