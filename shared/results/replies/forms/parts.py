"""Says what a part of a reply holds, whatever kind it is of, and what of it has its own place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from shared.formats.json.compact import compact_json
from shared.formats.json.surrogates import without_surrogates
from shared.results.columns import BODY, CHOICE, MESSAGE, RESPONSE, TAKEN, USAGE


def _known(part: int, *others: str) -> frozenset[str]:
    return frozenset({*others, *(key for holder, key in TAKEN.values() if holder == part)})


# By the part that holds them: those of the columns, those whose values are read from inside, and
# those that say the same of every answer.
LINE_KEYS = frozenset({"id", "custom_id", "response", "error"})
RESPONSE_KEYS = _known(RESPONSE, "body")
# Ark's bodies may hold the HTTP headers of the reply, which say nothing of the row.
BODY_KEYS = _known(
    BODY, "choices", "id", "request_id", "object", "system_fingerprint", "service_tier", "HttpHeader"
)
USAGE_KEYS = _known(
    USAGE, "input_tokens", "output_tokens",
    *(f"{each}_tokens_details" for each in ("prompt", "completion", "input", "output")),
)  # fmt: skip
CHOICE_KEYS = _known(CHOICE, "message", "index")
MESSAGE_KEYS = _known(MESSAGE, "content", "role")
# Of vectors: their body, and one of the items in ``data``.
VECTORS_KEYS = BODY_KEYS - {"choices"} | {"data"}
VECTOR_KEYS = frozenset({"object", "index", "embedding"})


# What may stand around a line: a BOM wherever files were joined, and a separator where they are
# records or an array.
AROUND = "\ufeff\0\x1e \t\r\n,[]"


def with_id(document: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The document with its id under the documented key; ``None`` if it has none, or several."""
    keys = ["custom_id"] if _is_id(document.get("custom_id")) else []
    keys = keys or [key for key in document if _is_id(document[key]) and _ID_KEY.fullmatch(key)]
    if len(keys) != 1:
        return None
    return {
        **{key: value for key, value in document.items() if key != keys[0]},
        "custom_id": document[keys[0]],
    }


def _is_id(value: Any) -> bool:
    return type(value) in {str, int, float}


_ID_KEY = re.compile(r"\s*custom[\s_-]?id\s*", re.I)


def is_nothing(value: object) -> bool:
    """Whether a value says no more than a missing one. 0 and ``false`` do."""
    return value is None or value in ("", [], {})


def unknown_in(part: Mapping[str, Any], known: frozenset[str]) -> dict[str, Any]:
    """What the part holds that has no place of its own."""
    return {key: value for key, value in part.items() if key not in known and not is_nothing(value)}


def gathered(**parts: Mapping[str, Any]) -> dict[str, Any]:
    """All that the parts hold; a key that an earlier one has gets its part's name in front."""
    found: dict[str, Any] = {}
    for name, part in parts.items():
        for key, value in part.items():
            free = key
            while free in found:
                free = f"{name}_{free}"
            found[free] = value
    return found


def mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def integer(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def text(value: object) -> str:
    """A text, "" for null, JSON for anything else. No file can hold a lone surrogate: U+FFFD."""
    if value is None:
        return ""
    return without_surrogates(value if isinstance(value, str) else compact_json(value))


def index_of(item: Any) -> int | None:
    """The place that the provider gave it; some write it as a text."""
    index = mapping(item).get("index")
    if isinstance(index, str) and _INDEX.fullmatch(index):
        return int(index)
    return integer(index)


_INDEX = re.compile("[0-9]{1,9}")


def in_order(items: list[Any]) -> list[Any]:
    """By the ``index`` that the provider gave them; one without keeps its place."""
    places = [index_of(item) for item in items]
    order = sorted(range(len(items)), key=lambda at: at if (place := places[at]) is None else place)
    return [items[at] for at in order]
