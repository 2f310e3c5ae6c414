"""The bytes of a table into lines of text: which encoding they are in, and what to do where they are not."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

from shared.domain.errors import UserInputError
from shared.domain.limits import MIB
from shared.domain.lines import Line, split_lines
from shared.domain.problems import Problem, Values

MAX_LINE_BYTES = 16 * MIB
_HEAD_BYTES = 64 * 1024

# GB18030 text looks like UTF-8 only by chance, and never this often: each of these characters took three bytes
# that fit. From here on a wrong byte is a damaged UTF-8 file; reading it as GB18030 would send, and pay for,
# garbled prompts.
_PROOF_OF_UTF8 = 16
_FIRST_THREE_BYTE_CHARACTER = "\u0800"

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_MAGIC = (
    (b"PK\x03\x04", "Excel / zip"),
    (b"\xd0\xcf\x11\xe0", "Excel 97-2003"),
    (b"\x1f\x8b", "gzip"),
    (b"PAR1", "Parquet"),
)


class EncodingMismatch(Exception):
    """The bytes are not in the encoding tried; read the file again from its start in ``next_encoding``."""

    def __init__(self, next_encoding: str) -> None:
        super().__init__(next_encoding)
        self.next_encoding = next_encoding


class Undecodable(Exception):
    """The bytes are not in the last encoding that there was to try."""

    def __init__(self, line: int, wrong: str) -> None:
        super().__init__(f"line {line}: {wrong}")
        self.line = line
        self.wrong = wrong


@dataclass(frozen=True)
class Encoding:
    """How to read a file.

    Attributes:
        name: ``utf-8``, ``gb18030``, ``utf-16-le`` or ``utf-16-be``.
        is_certain: A BOM or the recipe says so; bytes that do not fit are then their row's problem.
        fallback: What to try if they do not fit and it is not certain.
    """

    name: str
    is_certain: bool = False
    fallback: str | None = None


class TextLine(NamedTuple):
    """One line; ``text`` is ``None`` if it was too long. Bytes that are wrong are U+FFFD and a problem."""

    number: int
    text: str | None
    size_bytes: int
    problem: Problem | None = None


def peek(chunks: Iterable[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """The first 64 KiB or so of a stream, and the stream with them."""
    rest = iter(chunks)
    head = b""
    for chunk in rest:
        head += chunk
        if len(head) >= _HEAD_BYTES:
            break
    return head, chain([head], rest)


def refuse_binary(head: bytes) -> None:
    for magic, name in _MAGIC:
        if head.startswith(magic):
            raise UserInputError([Problem("not_a_text_file", found=name)])


def encoding_for(head: bytes, wanted: str | None, tried: str | None) -> Encoding:
    """How to read a file that begins with ``head``.

    Args:
        head: Its first bytes.
        wanted: What its recipe says; a BOM outranks it, because only a file in that encoding has one.
        tried: The ``next_encoding`` of an ``EncodingMismatch``.
    """
    for bom, name in _BOMS:
        if head.startswith(bom):
            return Encoding(name, is_certain=True)
    if wanted is not None:
        return Encoding("utf-16-le" if wanted == "utf-16" else wanted, is_certain=True)
    if tried is not None or not _may_be_utf8(head):
        return Encoding(tried or "gb18030")
    return Encoding("utf-8", fallback="gb18030")


def table_lines(
    open_chunks: Callable[[], Iterable[bytes]], chunks: Iterable[bytes], encoding: Encoding
) -> Iterator[TextLine]:
    r"""Yield the lines of ``chunks`` without their ``\n``; ``open_chunks`` opens them again to explain a failure.

    Raises:
        EncodingMismatch: The file must be read again in another encoding.
        UserInputError: It is in none.
    """
    try:
        yield from text_lines(chunks, encoding)
    except Undecodable as gb18030:
        utf8 = _damage_in_utf8(open_chunks()) or gb18030
        # The encoding that got further is more likely to be the one that was meant.
        further = max(utf8, gb18030, key=lambda damage: damage.line)
        values: Values = {
            "utf8_line": utf8.line,
            "utf8_bytes": utf8.wrong,
            "gb18030_line": gb18030.line,
            "gb18030_bytes": gb18030.wrong,
        }
        raise UserInputError([Problem("unknown_encoding", further.line, values=values)]) from gb18030


def text_lines(chunks: Iterable[bytes], encoding: Encoding) -> Iterator[TextLine]:
    if encoding.name.startswith("utf-16"):
        chunks, encoding = _as_utf8(chunks, encoding.name), Encoding("utf-8", is_certain=True)
    decoder = _LineDecoder(encoding)
    for line in split_lines(chunks, MAX_LINE_BYTES):
        yield decoder.decode(line)


def _damage_in_utf8(chunks: Iterable[bytes]) -> Undecodable | None:
    try:
        for _ in text_lines(chunks, Encoding("utf-8")):
            pass
    except Undecodable as damage:
        return damage
    return None


def _may_be_utf8(head: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError as error:
        return _proof_in(head[: error.start].decode()) >= _PROOF_OF_UTF8
    return True


def _proof_in(text: str) -> int:
    return 0 if text.isascii() else sum(character >= _FIRST_THREE_BYTE_CHARACTER for character in text)


class _LineDecoder:
    def __init__(self, encoding: Encoding) -> None:
        self._encoding = encoding
        self._proof = 0

    def decode(self, line: Line) -> TextLine:
        if line.content is None:
            return TextLine(line.number, None, line.size_bytes)
        try:
            text = line.content.decode(self._encoding.name)
        except UnicodeDecodeError as error:
            return self._damaged(line, error)
        if self._proof < _PROOF_OF_UTF8:
            self._proof += _proof_in(text)
        if line.number == 1 and self._encoding.name == "gb18030":
            text = text.removeprefix("\ufeff")
        if "\0" in text:
            # Python 3.10's csv refuses NUL, later ones do not; a prompt with one is a mistake anyway.
            problem = Problem("nul_character", line.number, values={"position": text.index("\0") + 1})
            return TextLine(line.number, text.replace("\0", "\ufffd"), line.size_bytes, problem)
        return TextLine(line.number, text, line.size_bytes)

    def _damaged(self, line: Line, error: UnicodeDecodeError) -> TextLine:
        encoding = self._encoding
        wrong = error.object[error.start : error.start + 4].hex(" ")
        proven = encoding.name == "utf-8" and self._proof >= _PROOF_OF_UTF8
        if not (encoding.is_certain or proven):
            if encoding.fallback is not None:
                raise EncodingMismatch(encoding.fallback) from error
            raise Undecodable(line.number, wrong) from error
        values: Values = {"encoding": encoding.name, "position": error.start + 1}
        problem = Problem("invalid_encoding", line.number, found=wrong, values=values)
        text = error.object.decode(encoding.name, "replace").replace("\0", "\ufffd")
        return TextLine(line.number, text, line.size_bytes, problem)


def _as_utf8(chunks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    # A line end is two bytes in UTF-16, and each of the two occurs in other characters.
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
