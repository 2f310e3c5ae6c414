"""Finds encodings whose bytes are all ASCII, and therefore UTF-8; only escapes give them away."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_ESCAPES = (
    ("iso-2022-jp", rb"\x1b(?:\$[B@]|\(J)"),
    ("iso-2022-kr", rb"\x1b\$\)C"),
    ("iso-2022-cn", rb"\x1b\$(?:\)[AG]|\*H|A)"),
)
_HZ = rb"~\{((?:[!-w][!-~])+)~\}"
_UTF_7 = rb"(?<![+\w])\+([A-Za-z0-9+/]{3,})-?(?![\w+/@.])"
_HANZI = "[\u3000-\u30ff\u4e00-\u9fff\uff00-\uffef]+"
_FEWEST_IN_UTF_7 = 2


class SevenBit(NamedTuple):
    """An encoding, and the first line that has its escapes, with its number."""

    encoding: str
    line: int
    content: bytes


def seven_bit(head: bytes) -> SevenBit | None:
    """The encoding whose escapes are in it, if it is ASCII otherwise."""
    for encoding, first in _found(head):
        number = head.count(b"\n", 0, first)
        return SevenBit(encoding, number + 1, head.split(b"\n")[number])
    return None


def _found(head: bytes) -> Iterator[tuple[str, int]]:
    if not head.isascii():
        return
    for encoding, escape in _ESCAPES:
        if b"\x1b" in head and (match := re.search(escape, head)):
            yield encoding, match.start()
    for match in re.finditer(_HZ, head):
        if re.fullmatch(_HANZI, match[0].decode("hz", "replace")):
            yield "hz", match.start()
    words = list(re.finditer(_UTF_7, head))
    text = "".join(_utf_7(word[1]) for word in words)
    if len(text) >= _FEWEST_IN_UTF_7 and re.fullmatch(_HANZI, text):
        yield "utf-7", words[0].start()


def _utf_7(word: bytes) -> str:
    return (b"+" + word + b"-").decode("utf-7", "replace")
