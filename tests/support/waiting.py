"""Waiting for something that another thread or process does, without sleeping for a guessed time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


def wait_until(condition: Callable[[], object], what: str, timeout_s: float = 20) -> None:
    """Return as soon as ``condition`` holds; fail, naming ``what`` was waited for, when it does not in time."""
    deadline = time.monotonic() + timeout_s
    pause = threading.Event()
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout_s} s in vain for {what}")
        pause.wait(0.01)
