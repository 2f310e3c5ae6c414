"""JSON as any caller may send it."""

from __future__ import annotations

import json
from typing import Any

import orjson

from shared.formats.json.policies import is_too_deep

# Of deeper ones it would depend on the caller's stack whether they can be read and written again.
MAX_DEPTH = 500


def quick_json(content: bytes) -> Any:
    """What ``exact_json`` makes of it, in a quarter of the time.

    An integer beyond 64 bits becomes a float, so what is sent on to others is not for this.
    """
    try:
        document = orjson.loads(content)
    except ValueError:  # it is stricter
        return exact_json(content)
    # Most are too short, which is asked here because a call would take a tenth of the time.
    return document if len(content) <= 2 * MAX_DEPTH else _not_too_deep(document, content)


def exact_json(content: bytes) -> Any:
    """What ``json.loads`` makes of it.

    Raises:
        ValueError: It is no JSON.
        RecursionError: It is nested more than 500 levels deep.
    """
    return _not_too_deep(json.loads(content), content)


def _not_too_deep(document: Any, content: bytes) -> Any:
    # Each level opens and closes, so most documents are too short or open too seldom.
    may_be = len(content) > 2 * MAX_DEPTH and content.count(b"[") + content.count(b"{") > MAX_DEPTH
    if may_be and is_too_deep(document, MAX_DEPTH):
        raise RecursionError(f"nested more than {MAX_DEPTH} levels deep")
    return document


def json_object_in(body: bytes) -> dict[str, Any] | None:
    """The object in a body; ``None`` if there is none, or one whose texts are no UTF-8."""
    try:
        document = json.loads(body)
        json.dumps(document, ensure_ascii=False).encode()  # fails at half of a surrogate pair
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None
