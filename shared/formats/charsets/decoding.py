"""Decodes the lines of a table, and tells UTF-8 from anything else."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

from shared.formats.charsets.gb18030 import decode_gb18030
from shared.formats.charsets.names import codec_of
from shared.formats.charsets.utf8 import decode_utf8
from shared.formats.heads import BOMS
from shared.formats.lines import Line
from shared.problems.exceptions import UserInputError
from shared.problems.problem import Problem, Values

OpenChunks = Callable[[], Iterable[bytes]]

# GB18030 text looks like UTF-8 only by chance, and never this often: each of these characters took
# at least three bytes that fit. Beyond this, a wrong byte means a damaged UTF-8 file. Reading that
# as GB18030 would send, and pay for, garbled prompts.
_PROOF_OF_UTF8 = 16
_OF_TWO_BYTES = frozenset({"gb18030", "big5", "shift_jis", "euc-jp", "euc-kr"})
_NO_PROOF = bytes(range(0xE0)) + bytes(range(0xF5, 0x100))


class EncodingMismatch(Exception):
    """The bytes do not fit: read the file again from its start, in ``next_encoding``."""

    def __init__(self, next_encoding: str) -> None:
        super().__init__(next_encoding)
        self.next_encoding = next_encoding


class Undecodable(Exception):
    """The bytes do not fit the last encoding that could be tried."""

    def __init__(self, line: int, content: bytes) -> None:
        super().__init__(f"line {line}")
        self.line = line
        self.content = content


@dataclass(frozen=True)
class Encoding:
    """How to read a file.

    Attributes:
        name: One of ``charsets.names``; UTF-16 and UTF-32 with their byte order.
        is_certain: A BOM, the recipe or the text itself says so; bytes that do not fit are then
            their row's problem.
        fallback: What to try if they do not fit and it is not certain.
    """

    name: str
    is_certain: bool = False
    fallback: str | None = None


class TextLine(NamedTuple):
    """One line. ``text`` is ``None`` if it was too long; wrong bytes are U+FFFD and a problem."""

    number: int
    text: str | None
    size_bytes: int
    problem: Problem | None = None


def encoding_for(head: bytes, wanted: str | None, tried: str | None) -> Encoding:
    """How to read a file that begins with ``head``.

    Args:
        head: Its first bytes.
        wanted: What its recipe says; a BOM outranks it, since only a file in that encoding has one.
        tried: The ``next_encoding`` of an ``EncodingMismatch``.
    """
    for bom, name in BOMS:
        if head.startswith(bom):
            return Encoding(name, is_certain=True)
    if wanted is not None:
        return Encoding(codec_of(wanted) if wanted.startswith("utf") else wanted, is_certain=True)
    if tried is not None or not _may_be_utf8(head):
        return Encoding(tried or "gb18030")
    return Encoding("utf-8", fallback="gb18030")


def is_cut_off(error: UnicodeDecodeError) -> bool:
    """Whether nothing else is wrong than that the bytes end in the middle of a character."""
    is_lead_byte = error.start == len(error.object) - 1  # GB18030 has some of three bytes, but rarely
    return error.reason == "unexpected end of data" or (
        is_lead_byte and error.reason.startswith("incomplete")
    )


def decodable_chunks(chunks: Iterable[bytes], encoding: Encoding) -> tuple[Iterable[bytes], Encoding]:
    """The chunks in an encoding in which a line feed is one byte that occurs nowhere else."""
    if encoding.name.startswith(("utf-16", "utf-32")):
        return _as_utf8(chunks, encoding.name), Encoding("utf-8", is_certain=True)
    return chunks, encoding


def _may_be_utf8(head: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError as error:
        return _proof_in(head[: error.start]) >= _PROOF_OF_UTF8
    return True


def _proof_in(utf8: bytes) -> int:
    return len(utf8.translate(None, _NO_PROOF))


def _holds_utf8(raw: bytes) -> bool:
    from shared.formats.charsets.comparison import holds_utf8  # noqa: PLC0415 - loads many languages

    return holds_utf8(raw)


def _is_gb18030(line: bytes) -> bool:
    from shared.formats.charsets.comparison import is_gb18030  # noqa: PLC0415 - the same

    return is_gb18030(line)


class LineDecoder:
    """Decodes one file from its start, in lines or blocks; learns whether UTF-8 is proven."""

    def __init__(self, encoding: Encoding) -> None:
        self._encoding = encoding
        self._codec = codec_of(encoding.name)
        self._may_hold_utf8 = encoding.name in _OF_TWO_BYTES
        self._proof = 0

    @property
    def is_utf8(self) -> bool:
        return self._encoding.name == "utf-8"

    def decode_block(self, lines: bytes) -> str | None:
        """Decode many lines at once; ``None`` if that fails or some are in another encoding, so
        that each must be tried alone.

        The same lines may be decoded again, so ``learn`` must be told which of them are done.
        """
        if self._may_hold_utf8 and _holds_utf8(lines):
            return None
        try:
            return self._text_of(lines)
        except UnicodeDecodeError:
            return None

    def _text_of(self, raw: bytes) -> str:
        return decode_gb18030(raw) if self._codec == "gb18030" else raw.decode(self._codec)

    def learn(self, lines: bytes) -> None:
        """Count correct lines that were decoded in a block as proof of the encoding."""
        if self._proof < _PROOF_OF_UTF8 and self.is_utf8:
            self._proof += _proof_in(lines)

    def decode(self, line: Line) -> TextLine:
        if line.content is None:
            return TextLine(line.number, None, line.size_bytes)
        content = line.content[: line.size_bytes]
        if self._may_hold_utf8 and _holds_utf8(content):
            return self._mixed(line, content, "utf-8")
        try:
            text = decode_utf8(content) if self.is_utf8 else self._text_of(content)
        except UnicodeDecodeError as error:
            return self._damaged(line, error)
        self.learn(content)
        if line.number == 1 and self._encoding.name == "gb18030":
            text = text.removeprefix("\ufeff")
        if "\0" in text:
            # A prompt with a NUL is a mistake; the row says so and keeps it.
            problem = Problem("nul_character", line.number, values={"position": text.index("\0") + 1})
            return TextLine(line.number, text, line.size_bytes, problem)
        return TextLine(line.number, text, line.size_bytes)

    def _damaged(self, line: Line, error: UnicodeDecodeError) -> TextLine:
        encoding = self._encoding
        wrong = error.object[error.start : error.start + 4].hex(" ")
        proven = encoding.name == "utf-8" and self._proof >= _PROOF_OF_UTF8
        if not (encoding.is_certain or proven):
            if encoding.fallback is not None:
                raise EncodingMismatch(encoding.fallback) from error
            raise Undecodable(line.number, error.object) from error
        if self.is_utf8 and _is_gb18030(error.object):
            return self._mixed(line, error.object, "gb18030")
        values: Values = {"encoding": encoding.name, "position": error.start + 1}
        code = "cut_character" if is_cut_off(error) else "invalid_encoding"
        problem = Problem(code, line.number, found=wrong, values=values)
        return TextLine(line.number, error.object.decode(self._codec, "replace"), line.size_bytes, problem)

    def _mixed(self, line: Line, content: bytes, encoding: str) -> TextLine:
        values: Values = {"encoding": encoding, "other": self._encoding.name}
        problem = Problem("mixed_encodings", line.number, values=values)
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            text = content.decode(self._codec, "replace")
        return TextLine(line.number, text, line.size_bytes, problem)


def _as_utf8(chunks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    # In UTF-16 a line end is two bytes, and each of them also occurs in other characters.
    decoder = codecs.getincrementaldecoder(encoding)()
    lines_read = 0
    for chunk in chain(chunks, [None]):
        try:
            text = decoder.decode(chunk or b"", final=chunk is None)
        except UnicodeDecodeError as error:
            line = lines_read + error.object[: error.start].decode(encoding, "replace").count("\n") + 1
            wrong = error.object[error.start : error.start + 4].hex(" ")
            values: Values = {"encoding": encoding, "position": error.start + 1}
            raise UserInputError([Problem("damaged_utf16", line, found=wrong, values=values)]) from error
        lines_read += text.count("\n")
        yield text.encode()
