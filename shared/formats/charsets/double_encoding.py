"""Finds text that was UTF-8, was read as something else, and was written as UTF-8 again."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

_FEWEST = 3  # garbled characters that come out right; fewer may be chance
_FEWEST_WESTERN = 6  # as “ß“” and other letters before a quote do
_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
# The bytes of one character, as Windows-1252 shows them; it leaves five as they are.
_HIGH = "\x80-\xbf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"
_WESTERN = re.compile(f"(?:[\xc3-\xdf][{_HIGH}]|[\xe0-\xef][{_HIGH}]{{2}}|[\xf0-\xf4][{_HIGH}]{{3}})+")
_WESTERN_BYTES = {chr(each): each for each in range(256)}
_WESTERN_BYTES |= {bytes([each]).decode("cp1252", "ignore"): each for each in range(0x80, 0xA0)}


class DoubleEncoded(NamedTuple):
    """The number of the line, from 0; a piece of it as it is, and as it was."""

    line: int
    found: str
    meant: str


def find_double_encoded(text: str) -> DoubleEncoded | None:
    """The first such piece, if most of what is not ASCII in the text is like it."""
    if text.isascii():
        return None
    others = sum(map(len, _NOT_ASCII.findall(text)))
    for pieces, fewest in ((_western, _FEWEST_WESTERN), (_chinese, _FEWEST)):
        found = list(pieces(text))
        different = sum(map(len, {piece for _, piece, _ in found}))
        if different >= fewest and 2 * sum(len(piece) for _, piece, _ in found) > others:
            start, piece, meant = found[0]
            return DoubleEncoded(text.count("\n", 0, start), piece, meant)
    return None


def _western(text: str) -> Iterator[tuple[int, str, str]]:
    return _repaired(text, _WESTERN, lambda piece: bytes(map(_WESTERN_BYTES.__getitem__, piece)))


def _chinese(text: str) -> Iterator[tuple[int, str, str]]:
    found = _repaired(text, _NOT_ASCII, lambda piece: piece.encode("gb18030"))
    # A hanzi alone is often what a letter of two bytes would be; hanzi have three.
    return (each for each in found if min(each[2]) >= "\u0800")


def _repaired(
    text: str, pieces: re.Pattern[str], encoded: Callable[[str], bytes]
) -> Iterator[tuple[int, str, str]]:
    for match in pieces.finditer(text):
        try:
            meant = encoded(match[0]).decode()
        except (UnicodeError, KeyError):
            continue
        if meant.isprintable():
            yield match.start(), match[0], meant
