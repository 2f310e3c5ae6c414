"""Paths into JSON answers, as in recipes: ``address.city``, ``tags[0]``, ``"odd.name".x``."""

from __future__ import annotations

import re

Steps = tuple[str | int, ...]

MISSING = object()
"""What ``value_at`` returns where the answer has nothing; ``None`` is the answer's own null."""

# "$" alone is JSONPath's root, which nobody means as a key.
_BARE = r"(?!\$(?:[.\[]|\Z))[^.\[\]\"']+"
_QUOTED = r"\"[^\"]+\"|'[^']+'"
_STEP = re.compile(rf"(\.?)(?:({_BARE})|({_QUOTED})|\[\s*(?:(-?[0-9]{{1,9}})|({_QUOTED}))\s*\])")


def parse_path(text: str) -> Steps | None:
    """The keys and indexes of a path, or ``None``; a negative index counts from the end."""
    steps: list[str | int] = []
    position = 0
    while position < len(text):
        match = _STEP.match(text, position)
        if match is None or bool(match[1]) != _needs_dot(match, is_first=not steps):
            return None
        step = _step(match)
        if step == "":
            return None
        steps.append(step)
        position = match.end()
    return tuple(steps) or None


def value_at(document: object, steps: Steps) -> object:
    for step in steps:
        document = _child(document, step)
    return document


def _child(document: object, step: str | int) -> object:
    if isinstance(step, str):
        return document.get(step, MISSING) if isinstance(document, dict) else MISSING
    if isinstance(document, list) and -len(document) <= step < len(document):
        return document[step]
    return MISSING


def _needs_dot(match: re.Match[str], *, is_first: bool) -> bool:
    is_key = match[2] is not None or match[3] is not None
    return is_key and not is_first


def _step(match: re.Match[str]) -> str | int:
    _, bare, quoted, index, bracketed = match.groups()
    if index is not None:
        return int(index)
    return bare.strip() if bare is not None else (quoted or bracketed)[1:-1]
