"""The secrets among the settings, for the log to mask each of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import get_args
from urllib.parse import urlsplit

from pydantic import SecretStr

from shared.runtime.settings import Settings

_MIN_SECRET_CHARS = 8
_SECRET = frozenset({"url", "secret", "password"})


def secrets_from(env: Mapping[str, str]) -> tuple[str, ...]:
    """The values that must never be written anywhere, even where other settings are bad.

    Values too short to be secrets are left out: masking them would garble other words.
    """
    fields = Settings.model_fields.items()
    names = [name.upper() for name, field in fields if SecretStr in get_args(field.annotation)]
    values = (env.get(name, "").strip() for name in names)
    every = (*values, *_secrets_of_channels(env.get("NOTIFY_CHANNELS", "")))
    return tuple(value for value in every if len(value) >= _MIN_SECRET_CHARS)


def _secrets_of_channels(given: str) -> list[str]:
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
