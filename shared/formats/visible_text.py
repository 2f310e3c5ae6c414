"""Texts as people see them, to compare names that they typed."""

from __future__ import annotations

import unicodedata

# Nothing is drawn for these, though Unicode counts them among letters and marks.
_BLANK_MARKS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\ufe0e\ufe0f\uffa0")

_QUOTED_CHARS = 80


def visible(text: str) -> str:
    """The text as people see it: without what is not drawn, and with single spaces."""
    drawn = (
        character
        for character in text
        if character.isspace()
        or (unicodedata.category(character) not in {"Cf", "Cc"} and character not in _BLANK_MARKS)
    )
    return unicodedata.normalize("NFC", " ".join("".join(drawn).split()))


def shortened(text: str, most_chars: int = _QUOTED_CHARS) -> str:
    """The text as it is quoted in the middle of a message, of which the rest is to be read."""
    return text if len(text) <= most_chars else f"{text[: most_chars - 1]}…"


def folded(text: str) -> str:
    """The text without what is easily overlooked: case, width and spaces."""
    return "".join(unicodedata.normalize("NFKC", visible(text)).casefold().split())
