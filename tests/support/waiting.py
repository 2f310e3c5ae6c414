"""Waiting for another thread or process, without sleeping for a guessed time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


def wait_until(condition: Callable[[], object], what: str, timeout_s: float = 20) -> None:
    """Return as soon as ``condition`` holds; after ``timeout_s``, fail and name ``what``."""
    deadline = time.monotonic() + timeout_s
    pause = threading.Event()
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout_s} s in vain for {what}")
        pause.wait(0.01)
