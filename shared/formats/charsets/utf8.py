"""UTF-8 as other programs write it: with emoji in two halves, and with single broken characters."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable

from shared.formats.heads import without_bom
from shared.formats.lines import numbered_lines, with_line_feeds
from shared.formats.sizes import MAX_LINE_BYTES

_MARK = "\ufffd"
_BY_CHANCE = 1

# CESU-8, as Oracle, Java and old MySQL write emoji: each half of a pair of surrogates has three
# bytes.
_IN_HALVES = re.compile(rb"\xed[\xa0-\xaf][\x80-\xbf]\xed[\xb0-\xbf][\x80-\xbf]")


def decode_utf8(raw: bytes) -> str:
    """The text of complete characters; halves of an emoji are joined.

    Raises:
        UnicodeDecodeError: At the first wrong byte.
    """
    try:
        return raw.decode()
    except UnicodeDecodeError:
        if (whole := _joined(raw)) == raw:
            raise
    return whole.decode()


def begins_as_utf8(head: bytes) -> bool:
    """Whether the first character that is not ASCII has three bytes or four.

    What is UTF-8 of two bytes may be hanzi in GBK.
    """
    first = re.search(rb"[\x80-\xff]", head)
    return first is not None and first[0] >= b"\xe0"


def is_utf8_throughout(chunks: Iterable[bytes]) -> bool:
    """Whether it has characters that are not ASCII, and no wrong byte."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    is_ascii = True
    try:
        for chunk in chunks:
            is_ascii = decoder.decode(chunk).isascii() and is_ascii
    except UnicodeDecodeError:
        return False
    return not is_ascii


def is_mostly_utf8(chunks: Iterable[bytes]) -> bool:
    """Whether it is UTF-8 with wrong bytes. Nearly any bytes can be read as GB18030.

    Of the lines that are not ASCII more must be UTF-8 than not, or more bytes must continue a
    character than there are places where none can be read: a hanzi of GB18030 has two of these, and
    is a character of UTF-8 only by chance, as one within 硅胶 is. Reading a damaged file as
    GB18030 would send, and pay for, garbled prompts.
    """
    right_lines = wrong_lines = right = wrong = 0
    for line in numbered_lines(with_line_feeds(without_bom(chunks)), MAX_LINE_BYTES):
        if line.content is None or line.content.isascii():
            continue
        text = codecs.getincrementaldecoder("utf-8")("replace").decode(_joined(line.content))
        marks = text.count(_MARK)
        wrong_places = marks - line.content.count(_MARK.encode())
        right += len(text.encode()) - len(text) - 2 * marks
        wrong += wrong_places
        wrong_lines += wrong_places > 0
        right_lines += wrong_places == 0 and not text.isascii()
    return right_lines > wrong_lines or right > wrong + _BY_CHANCE


def _joined(raw: bytes) -> bytes:
    return _IN_HALVES.sub(lambda halves: _whole(halves[0]), raw)


def _whole(halves: bytes) -> bytes:
    return halves.decode("utf-8", "surrogatepass").encode("utf-16", "surrogatepass").decode("utf-16").encode()
