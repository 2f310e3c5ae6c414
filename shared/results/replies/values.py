"""Reads single values of a reply, of which anything may be another kind than documented."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.formats.json.compact import compact_json
from shared.formats.json.surrogates import without_surrogates


def mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def integer(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def text(value: object) -> str:
    """A text, "" for null, JSON for anything else. No file can hold a lone surrogate: U+FFFD."""
    if value is None:
        return ""
    return without_surrogates(value if isinstance(value, str) else compact_json(value))


def in_order(items: list[Any]) -> list[Any]:
    """By the ``index`` that the provider gave them; one without keeps its place."""
    places = [integer(mapping(item).get("index")) for item in items]
    order = sorted(range(len(items)), key=lambda at: at if (place := places[at]) is None else place)
    return [items[at] for at in order]
