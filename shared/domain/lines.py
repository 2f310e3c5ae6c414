r"""Bytes into lines, at ``\n`` and nowhere else.

``splitlines`` also splits at U+2028, U+2029, U+0085 and ``\r``, all of which occur inside JSON strings and
quoted cells.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import NamedTuple

_LINE_FEED = ord("\n")


class Line(NamedTuple):
    r"""One line. ``content`` is without its ``\n`` (a ``\r`` before it stays) or ``None`` if it was too long."""

    number: int
    content: bytes | None
    size_bytes: int


def split_lines(chunks: Iterable[bytes], max_line_bytes: int) -> Iterator[Line]:
    """Yield every line, blank ones included, numbered from 1; a UTF-8 BOM in front of the first is dropped.

    A line longer than ``max_line_bytes`` is counted but never held in memory.
    """
    for line in ended_lines(chunks, max_line_bytes):
        number, content, size_bytes = line
        yield Line(number, content[:size_bytes], size_bytes) if content is not None else line


def ended_lines(chunks: Iterable[bytes], max_line_bytes: int) -> Iterator[Line]:
    r"""The same lines with the ``\n`` in their ``content``, which the last may lack; ``size_bytes`` is without it.

    For lines that are passed on as they are: to take their ends off and put them on again is to copy them twice.
    """
    number = 0
    tail = _Tail(max_line_bytes + 1)
    for chunk in without_bom(chunks):
        # Cut by the standard library, at the line feed only; ``split`` takes three times as long.
        for piece in BytesIO(chunk):
            if piece[-1] != _LINE_FEED:
                tail.append(piece)
                continue
            number += 1
            content, size_bytes = piece, len(piece) - 1
            if tail.size_bytes:
                tail.append(piece)
                content, size_bytes = tail.take()
                size_bytes -= 1
            yield Line(number, content if size_bytes <= max_line_bytes else None, size_bytes)
    if tail.size_bytes:
        last, size_bytes = tail.take()
        yield Line(number + 1, last if size_bytes <= max_line_bytes else None, size_bytes)


class _Tail:
    """The beginning of a line whose end has not been read yet."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._pieces: list[bytes] = []
        self.size_bytes = 0

    def append(self, piece: bytes) -> None:
        self.size_bytes += len(piece)
        if self.size_bytes > self._max_bytes:
            self._pieces.clear()
        elif piece:
            self._pieces.append(piece)

    def take(self) -> tuple[bytes, int]:
        """What was appended, or nothing if that was too much, and how much it was."""
        taken = b"".join(self._pieces), self.size_bytes
        self._pieces.clear()
        self.size_bytes = 0
        return taken


def without_bom(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes without the UTF-8 BOM in front, if there is one; it may span any number of chunks."""
    rest = iter(chunks)
    head = b""
    for chunk in rest:
        head += chunk
        if len(head) >= len(codecs.BOM_UTF8):
            break
    yield head.removeprefix(codecs.BOM_UTF8)
    yield from rest
