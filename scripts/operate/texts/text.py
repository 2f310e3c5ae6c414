"""One thing said in both languages."""

from __future__ import annotations

from typing import NamedTuple


class Text(NamedTuple):
    """Its placeholders are the same in both."""

    zh: str
    en: str
