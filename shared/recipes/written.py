"""Values as a recipe says them, on one line."""

from __future__ import annotations

import json
import re

# What people put between names, or before each, often without the space that YAML wants.
_BETWEEN = re.compile(r"(?:^|\s)-(?=\D)|[,，、;；|｜/\n]")
_AROUND = " []［］【】〔〕「」（）()"
_QUOTES = " “”‘’＂＇\"'"
_PLAIN = re.compile(r"[^\W\d_][\w ]*")


def as_yaml(value: object) -> str:
    """What stands in the recipe, for people to find it there."""
    if isinstance(value, list):
        return f"[{', '.join(map(as_yaml, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {as_yaml(each)}" for name, each in value.items()) + "}"
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return str(value)


def as_name(text: str) -> str:
    """A name to copy into a recipe, with quotes if YAML may need them."""
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def names_in(text: str) -> list[str]:
    """The names that a text lists."""
    return [*filter(None, (each.strip(_QUOTES) for each in _BETWEEN.split(text.strip(_AROUND))))]
