"""Texts of others, such as the names of files, made harmless to a terminal that shows them."""

from __future__ import annotations

import re

# What a terminal obeys instead of showing it, or shows in another order: control characters but
# line ends and tabs, bytes that were no text, other line ends, and Unicode's bidirectional controls
# (https://www.unicode.org/reports/tr9/#Bidi_Controls).
_OBEYED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)


def escaped(text: str) -> str:
    r"""The text with JSON's escapes, such as ``\u001b``, so that a line of JSON stays one."""
    return _OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def escaped_line(text: str) -> str:
    """The same with ``⏎`` for line ends: a name within a line cannot begin another."""
    return escaped(re.sub("\r\n|\r|\n", "⏎", text))
