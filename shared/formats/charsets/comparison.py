"""Compares how a text reads in several encodings."""

from __future__ import annotations

import re

from shared.formats.charsets.likelihood import Reading, best_score

# English with the signs of Windows: some stand before a word or between two, some behind one.
_SIGNS = re.compile(
    "(?:[\0-\x7f]|(?<![a-zA-Z])[£€¥¢§©•·°±µ×÷½¼¾«“‘–—](?:(?![^\0-\x7f])|(?=[½¼¾£€“”’]))"
    "|(?<=[a-zA-Z])[–—](?=[a-zA-Z])"
    "|[®™°²³»”’…](?![a-zA-Z])|(?<=[a-zA-Z])’(?=[a-z]))+"
)


def signs_first(found: list[Reading]) -> list[Reading]:
    """With Windows-1252 in front if what is not ASCII are signs in it, each where it belongs."""
    in_signs = [each for each in found if each.encoding == "windows-1252" and _SIGNS.fullmatch(each.text)]
    return [*in_signs, *(each for each in found if each not in in_signs)]


def reads_better(text: str, other: str) -> bool:
    """Whether a text is at least as likely in some language as another is in any."""
    return best_score(text) >= best_score(other)
