"""Finds text that was read in a wrong encoding and written again, before it came to us."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

_FEWEST = 3  # garbled characters that come out right; fewer may be chance
_FEWEST_WESTERN = 6  # as “ß“” and other letters before a quote do
_FEWEST_GBK = 4
_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
# The bytes of one character, as Windows-1252 shows them; it leaves five as they are.
_HIGH = "\x80-\xbf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"
_WESTERN = re.compile(f"(?:[\xc3-\xdf][{_HIGH}]|[\xe0-\xef][{_HIGH}]{{2}}|[\xf0-\xf4][{_HIGH}]{{3}})+")
_WESTERN_BYTES = {chr(each): each for each in range(256)}
_WESTERN_BYTES |= {bytes([each]).decode("cp1252", "ignore"): each for each in range(0x80, 0xA0)}
# What UTF-8 shows for wrong bytes, the same read as GBK, and unused memory of Windows, read as GBK.
_LOST = re.compile("\ufffd+|(?:锟斤拷)+|烫{3,}|屯{3,}")
_AROUND_LOST = 12


class DoubleEncoded(NamedTuple):
    """The number of the line, from 0; a piece of it as it is, and as it was, in ``encoding``."""

    line: int
    found: str
    meant: str
    encoding: str = "UTF-8"


class LostCharacters(NamedTuple):
    """How often characters were lost; the number of the first line, from 0, and a piece of it."""

    times: int
    line: int
    found: str


def find_double_encoded(text: str) -> DoubleEncoded | None:
    """The first such piece, if most of what is not ASCII in the text is like it."""
    if text.isascii():
        return None
    others = sum(map(len, _NOT_ASCII.findall(text)))
    for pieces, fewest in ((_western, _FEWEST_WESTERN), (_chinese, _FEWEST), (_gbk, _FEWEST_GBK)):
        found = list(pieces(text))
        different = sum(map(len, {piece for _, piece, _ in found}))
        if different >= fewest and 2 * sum(len(piece) for _, piece, _ in found) > others:
            start, piece, meant = found[0]
            encoding = "GBK" if pieces is _gbk else "UTF-8"
            return DoubleEncoded(text.count("\n", 0, start), piece, meant, encoding)
    return None


def find_lost_characters(text: str) -> LostCharacters | None:
    """Where nobody can tell any more what was written."""
    found = [match.span() for match in _LOST.finditer(text)]
    if not found:
        return None
    start, end = found[0]
    before = text[max(0, start - _AROUND_LOST) : start].rpartition("\n")[2]
    behind = text[start : end + _AROUND_LOST].partition("\n")[0]
    return LostCharacters(len(found), text.count("\n", 0, start), before + behind)


def _western(text: str) -> Iterator[tuple[int, str, str]]:
    return _repaired(text, _WESTERN, lambda piece: bytes(map(_WESTERN_BYTES.__getitem__, piece)).decode())


def _chinese(text: str) -> Iterator[tuple[int, str, str]]:
    found = _repaired(text, _NOT_ASCII, lambda piece: piece.encode("gb18030").decode())
    # A hanzi alone is often what a letter of two bytes would be; hanzi have three.
    return (each for each in found if min(each[2]) >= "\u0800")


def _gbk(text: str) -> Iterator[tuple[int, str, str]]:
    """GBK that was read as Western: pairs of letters and signs, which are usual hanzi."""
    found = [*_repaired(text, _NOT_ASCII, lambda piece: piece.encode("latin-1").decode("gb2312"))]
    if not found:
        return iter(())
    from shared.formats.charsets.likelihood import readings, score_as_chinese  # noqa: PLC0415 - seldom needed

    raw = " ".join(piece for _, piece, _ in found).encode("latin-1")
    is_chinese = score_as_chinese(raw) > max(each.score for each in readings(raw))
    return iter(found if is_chinese else ())


def _repaired(
    text: str, pieces: re.Pattern[str], original: Callable[[str], str]
) -> Iterator[tuple[int, str, str]]:
    for match in pieces.finditer(text):
        try:
            meant = original(match[0])
        except (UnicodeError, KeyError):
            continue
        if meant.isprintable() and "\ufffd" not in meant:
            yield match.start(), match[0], meant
