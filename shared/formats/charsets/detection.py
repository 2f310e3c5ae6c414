"""Finds the encoding of a table; refuses to guess one in which it would be garbled."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from shared.formats.charsets.comparison import (
    holds_utf8,
    is_chinese,
    is_gb18030,
    is_hanzi_alone,
    may_be_hanzi,
    reads_better,
    signs_first,
)
from shared.formats.charsets.decoding import (
    Encoding,
    LineDecoder,
    OpenChunks,
    Undecodable,
    is_cut_off,
)
from shared.formats.charsets.encoding_problems import (
    SHOWN_CHARS,
    first_wrong,
    read_as,
    read_by_mark,
    text_in,
    unknown_encoding,
)
from shared.formats.charsets.gb18030 import decode_gb18030
from shared.formats.charsets.likelihood import (
    Reading,
    is_plainly_chinese,
    is_proven_chinese,
    rarities_as_chinese,
    readings,
)
from shared.formats.charsets.names import name_of
from shared.formats.charsets.seven_bit import seven_bit
from shared.formats.charsets.utf8 import is_mostly_utf8, is_utf8_throughout
from shared.formats.heads import without_bom
from shared.formats.lines import numbered_lines, with_line_feeds
from shared.formats.record import TableNotes
from shared.formats.sizes import MAX_LINE_BYTES
from shared.problems.exceptions import UserInputError
from shared.problems.problem import Problem, Values

_SAMPLE_BYTES = 4 * 1024
_NOT_ASCII = re.compile(rb"[\x80-\xff]")
_BYTES_BEFORE = 20


class _Sample(NamedTuple):
    """Lines that are not ASCII, from 20 bytes before what is not.

    ``shown`` is the first of them that is not UTF-8, ``line`` its number. ``is_cut`` if the file
    ends with the first byte of two; it is not in ``content``.
    """

    content: bytes
    shown: bytes
    line: int
    is_cut: bool


def file_encoding(
    found: Encoding, open_chunks: OpenChunks, head: bytes, wanted: str | None, notes: TableNotes
) -> Encoding:
    """How to read a table.

    Args:
        found: By its head alone.
        open_chunks: Opens the file from its start.
        head: Its first bytes.
        wanted: What its recipe says.
        notes: Gets the encoding, and a warning if it was detected and is not UTF-8, or if it is
            UTF-8 although the recipe says something else.

    Raises:
        UserInputError: It is probably in an encoding that only its owner can tell for sure.
    """
    if wanted and not found.name.startswith("utf"):
        found = _contradicted(open_chunks, found, notes)
    is_hanzi = not found.is_certain and _is_hanzi(head)
    if is_hanzi or found == Encoding("gb18030"):
        found = _judged(open_chunks, head, notes, is_hanzi=is_hanzi)
    elif found.name.startswith(("utf-16", "utf-32")) and not wanted:
        notes.warnings.add(read_by_mark(head, found.name))
    elif not found.is_certain:
        _refuse_seven_bit(head, notes)
        notes.warnings.extend(_maybe_gb18030(head))
    notes.encoding = found.name
    return found


def explained(damage: Undecodable, open_chunks: OpenChunks) -> UserInputError:
    """The problem of a file in no known encoding; reads it again to find where UTF-8 fails."""
    utf8 = _damage_in_utf8(open_chunks()) or damage
    # The encoding that got further is more likely the right one.
    further = max(utf8, damage, key=lambda each: each.line)
    sample = _sample_of(_lines(open_chunks()))
    return UserInputError(
        [unknown_encoding(_piece_of(further.content), further.line, readings(sample.content))]
    )


def _judged(open_chunks: OpenChunks, head: bytes, notes: TableNotes, *, is_hanzi: bool) -> Encoding:
    """Tell UTF-8 by the head, or by the whole file if the head is ASCII; the rest by a sample."""
    complete = head[: head.rfind(b"\n") + 1] or head
    first = next(_lines([complete]), (0, b""))[1]  # most likely the header, without which all is lost
    is_chinese_first = is_hanzi or (not _is_utf8(first) and is_gb18030(first))
    if not is_chinese_first and is_mostly_utf8(open_chunks() if notes.tried_encoding else [complete]):
        return Encoding("utf-8", is_certain=True)
    sample = _sample_of(_others_than_utf8(open_chunks()))
    if not sample.content:
        sample = _sample_of(_lines(open_chunks()))
    rarities = rarities_as_chinese(sample.content)
    if not is_plainly_chinese(rarities):
        found = readings(sample.content)
        if not is_chinese(sample.content, found):
            found = signs_first(found)
            notes.encoding = found[0].encoding  # the report names what was found
            raise UserInputError([unknown_encoding(sample.shown, sample.line, found)])
    notes.warnings.add(read_as("gb18030", sample.shown, sample.line))
    return Encoding("gb18030", is_certain=sample.is_cut or is_proven_chinese(rarities))


def _maybe_gb18030(head: bytes) -> Iterator[Problem]:
    """Letters that are frequent hanzi as well, in cells of their own."""
    sample = _sample_of(_lines([head]))
    if may_be_hanzi(sample.content):
        values: Values = {"as_gb18030": text_in("gb18030", sample.shown)}
        yield Problem("maybe_gb18030", sample.line, found=text_in("utf-8", sample.shown), values=values)


def _is_hanzi(head: bytes) -> bool:
    sample = _sample_of(_lines([head])).content
    return is_hanzi_alone(sample) and is_chinese(sample, readings(sample))


def _lines(chunks: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """The lines that are not ASCII, with their numbers."""
    for line in numbered_lines(with_line_feeds(without_bom(chunks)), MAX_LINE_BYTES):
        if line.content is not None and not line.content.isascii():
            yield line.number, line.content


def _others_than_utf8(chunks: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Without lines that were appended in UTF-8, which are their rows' problem."""
    return ((number, line) for number, line in _lines(chunks) if not holds_utf8(line))


def _sample_of(lines: Iterable[tuple[int, bytes]]) -> _Sample:
    pieces: list[bytes] = []
    shown, shown_line, size_bytes, is_cut = b"", 0, 0, False
    for number, line in lines:
        piece = _piece_of(line)
        if not shown_line or (_is_utf8(shown) and not _is_utf8(piece)):
            shown, shown_line = piece, number
        if is_cut := not line.endswith(b"\n") and _is_cut_in_gb18030(line):
            piece = piece[:-1]
        pieces.append(piece + b"\n")  # else a last letter would pass for half of a character
        size_bytes += len(piece)
        if size_bytes >= _SAMPLE_BYTES:
            break
    return _Sample(b"".join(pieces)[:_SAMPLE_BYTES], shown, shown_line, is_cut)


def _is_cut_in_gb18030(line: bytes) -> bool:
    """Whether it ends with the first byte of two, and there is more by which to judge it."""
    try:
        decode_gb18030(line)
    except UnicodeDecodeError as error:
        return is_cut_off(error) and not line[:-1].isascii()
    return False


def _piece_of(line: bytes) -> bytes:
    first = _NOT_ASCII.search(line)
    start = max(0, first.start() - _BYTES_BEFORE) if first else 0
    return line[start : start + _SAMPLE_BYTES].rstrip(b"\r\n")


def _is_utf8(piece: bytes) -> bool:
    return first_wrong(piece) is None


def _contradicted(open_chunks: OpenChunks, said: Encoding, notes: TableNotes) -> Encoding:
    """UTF-8 if the file is that and its text does not make more sense as the recipe says."""
    if not is_utf8_throughout(open_chunks()):
        return said
    sample = _sample_of(_lines(open_chunks()))
    if said.name == "gb18030" and may_be_hanzi(sample.content):
        return said
    texts = text_in("utf-8", sample.content), text_in(said.name, sample.content)
    if not reads_better(*texts):
        return said
    as_utf8, found = (text_in(name, sample.shown)[:SHOWN_CHARS] for name in ("utf-8", said.name))
    values: Values = {"encoding": said.name, "as_utf8": as_utf8}
    notes.warnings.add(Problem("encoding_ignored", sample.line, found=found, values=values))
    return Encoding("utf-8", is_certain=True)


def _refuse_seven_bit(head: bytes, notes: TableNotes) -> None:
    if (found := seven_bit(head)) is None:
        return
    notes.encoding = found.encoding
    if name_of(found.encoding) is None:
        values: Values = {"encoding": found.encoding}
        shown = found.content.decode("ascii", "replace").strip()
        raise UserInputError([Problem("unread_encoding", found.line, found=shown, values=values)])
    reading = Reading(found.encoding, 0.0, 1, "", is_usual=True)
    raise UserInputError([unknown_encoding(found.content, found.line, [reading])])


def _damage_in_utf8(chunks: Iterable[bytes]) -> Undecodable | None:
    decoder = LineDecoder(Encoding("utf-8"))
    try:
        for line in numbered_lines(with_line_feeds(without_bom(chunks)), MAX_LINE_BYTES):
            decoder.decode(line)
    except Undecodable as damage:
        return damage
    return None
