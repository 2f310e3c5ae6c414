"""Writes to a store as functions do that are called again."""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor

from shared.ports.store import ObjectStore
from shared.problems.exceptions import TransientError


def _insist(store: ObjectStore, key: str, content: bytes) -> bool:
    """As a function that is called again after a passing error."""
    while True:
        with contextlib.suppress(TransientError):
            return store.put_if_absent(key, content)


def of_fifty_writers(store: ObjectStore, key: str) -> list[bool]:
    """Who of them was the first, if each writes its number at once."""
    start = threading.Barrier(50)

    def put(content: bytes) -> bool:
        start.wait()
        return _insist(store, key, content)

    with ThreadPoolExecutor(50) as threads:
        return list(threads.map(put, [bytes([number]) for number in range(50)]))
