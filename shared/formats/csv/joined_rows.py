"""Finds whole rows within one quoted cell, where the quotes of two cells were lost."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from shared.problems.problem import Problem, Values

_FEWEST_LINES = 3
_DIGITS = re.compile(rb"[0-9]+")


class JoinedRows:
    """The cells whose lines are each cut into the columns of the table.

    Attributes:
        columns: How many the header has; 0 as long as it was not read.
    """

    def __init__(self, delimiter: str) -> None:
        self._delimiter = delimiter.encode()
        self.columns = 0
        self._first: tuple[int, int] | None = None
        self._last_line = self._cells = 0

    def look_at(self, line: int, before: Sequence[bytes], cell: bytes) -> None:
        """Note the cell of a row that begins on ``line``; the cells ``before`` it are complete."""
        # Of most cells the first two lines tell that they are none; finding beats counting.
        expected, end = self.columns - 1 - len(before), cell.find(b"\n")
        if (cell.find(self._delimiter, 0, end) >= 0) != (expected > 0):
            return
        if expected and cell.count(self._delimiter, 0, end) != expected:
            return
        next_end = cell.find(b"\n", end + 1)
        if next_end >= 0 and cell.count(self._delimiter, end + 1, next_end) != self.columns - 1:
            return
        lines = cell.split(b"\n")
        # A block may be read twice, the second time by ``csv``.
        if line > self._last_line and self._are_rows(before, lines):
            self._first = self._first or (line, line + len(lines) - 1)
            self._last_line = line
            self._cells += 1

    def _are_rows(self, before: Sequence[bytes], lines: Sequence[bytes]) -> bool:
        place, delimiters = len(before), self.columns - 1
        if delimiters < 1:
            return False
        expected = [*[delimiters] * (len(lines) - 2), place]
        if any(line.count(self._delimiter) != count for line, count in zip(lines[1:], expected, strict=True)):
            return False
        first, *others = (line.partition(self._delimiter)[0] for line in (*before[:1], *lines[bool(place) :]))
        form = _form(first)
        if b"0" in form and all(_form(other) == form for other in others):
            return True
        is_prose = any(self._delimiter + b" " in line for line in lines)
        return delimiters > 1 and len(lines) >= _FEWEST_LINES and not is_prose

    def warnings(self) -> Iterator[Problem]:
        """What was found, once all records were read."""
        if self._first is not None:
            line, last_line = self._first
            values: Values = {"cells": self._cells, "last_line": last_line}
            yield Problem("rows_in_one_cell", line, values=values)


def _form(cell: bytes) -> bytes:
    """The cell with one zero for each number: ids of a file have the same form."""
    return _DIGITS.sub(b"0", cell.strip())
