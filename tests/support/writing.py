"""Writes to a store as functions do that are called again."""

from __future__ import annotations

import contextlib

from shared.ports.store import ObjectStore
from shared.problems.exceptions import TransientError


def insist(store: ObjectStore, key: str, content: bytes) -> bool:
    """As a function that is called again after a passing error."""
    while True:
        with contextlib.suppress(TransientError):
            return store.put_if_absent(key, content)
