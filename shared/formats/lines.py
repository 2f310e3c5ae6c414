r"""Splits bytes into lines, at ``\n`` and nowhere else."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import NamedTuple

from shared.formats.heads import peek

_QUOTED = re.compile(rb'"(?:[^"]|"")*"?')
_LINE_FEED = ord("\n")
_BLANK = frozenset((b"\n", b"\r", b"\r\n"))


class Line(NamedTuple):
    r"""One line.

    Attributes:
        number: From 1; blank lines count.
        content: May still have its ``\n``: taking it off and adding it again copies twice. A
            ``\r`` before it stays. ``None`` if the line was too long.
        size_bytes: Without the ``\n``.
    """

    number: int
    content: bytes | None
    size_bytes: int


def numbered_lines(chunks: Iterable[bytes], max_line_bytes: int = sys.maxsize) -> Iterator[Line]:
    r"""Yield every line, blank ones included, with its ``\n``, which the last may lack.

    A line longer than ``max_line_bytes`` is counted but never held in memory.
    """
    number = 0
    tail = _Tail(max_line_bytes + 1)
    for chunk in chunks:
        # The standard library splits at the line feed only; ``split`` takes three times as long.
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


def byte_lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    r"""Yield every line that is not blank, without its ``\n``.

    For objects that we or a provider wrote: their lines may have any length. It makes no ``Line``
    of each, which would cost a twentieth of the time of joining a table.
    """
    pieces: list[bytes] = []
    for chunk in chunks:
        for piece in BytesIO(chunk):
            if piece[-1] != _LINE_FEED:
                pieces.append(piece)
                continue
            line = piece
            if pieces:
                line = b"".join((*pieces, piece))
                pieces.clear()
            # A look-up in the set hashes the whole line, so only short ones are looked up.
            if len(line) > 2 or line not in _BLANK:
                yield line[:-1]
    last = b"".join(pieces)
    if last and last not in _BLANK:
        yield last


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
        """What was appended, and its size; no bytes if there were too many."""
        taken = b"".join(self._pieces), self.size_bytes
        self._pieces.clear()
        self.size_bytes = 0
        return taken


def with_line_feeds(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes, but with line feeds if all lines end with carriage returns alone.

    Excel for Mac writes such files. Inside of quotes there may be line feeds; the encoding must
    have both as one byte.
    """
    head, whole = peek(chunks)
    if has_carriage_returns_only(head):
        whole = (chunk.replace(b"\r", b"\n") for chunk in whole)
    yield from whole


def has_carriage_returns_only(head: bytes) -> bool:
    r"""Whether lines end with ``\r`` and never with ``\n`` in what is not quoted."""
    first = head.find(b"\r")
    before = head[: max(first, 0)]
    if first < 0 or (b'"' not in before and (b"\n" in before or head[first + 1 : first + 2] == b"\n")):
        return False  # most files, at once
    unquoted = _QUOTED.sub(b"", head)
    return b"\r" in unquoted and b"\n" not in unquoted
