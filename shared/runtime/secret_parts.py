"""The secrets within a setting that holds several, for the log to mask each of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import urlsplit

_SECRET = frozenset({"url", "secret", "password"})


def secrets_of_channels(given: str) -> list[str]:
    """Of NOTIFY_CHANNELS: addresses, and what follows the host in them, secrets and passwords."""
    try:
        return list(_secrets_in(json.loads(given)))
    except (ValueError, RecursionError):
        return []


def _secrets_in(value: object) -> Iterator[str]:
    if not isinstance(value, dict):
        return
    for name, inner in value.items():
        if name in _SECRET and isinstance(inner, str):
            yield inner
            parts = urlsplit(inner) if name == "url" else None
            if parts:
                yield f"{parts.path}?{parts.query}" if parts.query else parts.path
        else:
            yield from _secrets_in(inner)
