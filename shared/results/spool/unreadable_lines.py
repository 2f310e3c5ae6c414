"""Gathers the result lines that cannot be read, and finds the rows that they name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from shared.formats.sizes import MIB
from shared.results.columns import Answer
from shared.results.replies.result_lines import is_object, kept_unreadable, says_nothing
from shared.results.spool.row_ids import RowIds

_MAX_BYTES = 16 * MIB


class Unread(NamedTuple):
    """What is kept for one row, and its piece alone; without a row, all that was gathered."""

    answer: Answer | None
    piece: bytes


class UnreadableLines:
    """A text with a raw line end in it is several lines, so what is adjacent stays together.

    Attributes:
        waiting: What is gathered, until ``end``.
        count: How many lines were added.

    Args:
        ids: Of the rows that a piece may name.
    """

    def __init__(self, ids: RowIds) -> None:
        self._ids = ids
        self.waiting = bytearray()
        self.count = 0

    def add(self, line: bytes) -> Iterator[Unread]:
        """Gather it, and give what is whole."""
        if says_nothing(line):
            return
        self.count += 1
        is_alone = is_object(line)
        if is_alone:
            yield from self.end()
        self.waiting += line + b"\n"
        if is_alone or len(self.waiting) > _MAX_BYTES:
            yield from self.end()

    def end(self) -> Iterator[Unread]:
        lines = bytes(self.waiting[:-1])
        self.waiting.clear()
        kept = [*kept_unreadable(lines, self._ids)]
        for answer in kept:
            yield Unread(answer, answer.extra.encode())
        if lines and not kept:
            yield Unread(None, lines)
