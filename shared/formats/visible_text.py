"""Texts as people see them, to compare names that they typed."""

from __future__ import annotations

import unicodedata

# Nothing is drawn for these, though Unicode counts them among letters and marks.
_BLANK_MARKS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\ufe0e\ufe0f\uffa0")


def visible(text: str) -> str:
    """The text as people see it: without what is not drawn, and with single spaces."""
    drawn = (
        character
        for character in text
        if character.isspace()
        or (unicodedata.category(character) not in {"Cf", "Cc"} and character not in _BLANK_MARKS)
    )
    return unicodedata.normalize("NFC", " ".join("".join(drawn).split()))


def folded(text: str) -> str:
    """The text without what is easily overlooked: case, width and spaces."""
    return "".join(unicodedata.normalize("NFKC", visible(text)).casefold().split())
