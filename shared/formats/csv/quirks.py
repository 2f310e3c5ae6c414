"""What some programs write into a CSV: texts as formulas, ``="0012"``, and blanks before quotes."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from shared.formats.csv.joined_rows import JoinedRows
from shared.formats.record import Record
from shared.formats.sheets.cells import Tally
from shared.problems.problem import Problem, Values

# So that a spreadsheet keeps the zeros of a number. In quotes, each of its own is doubled.
_FORMULA_TEXT = re.compile(r'="((?:[^"]|"")*)"')
_FORMULA_IN_QUOTES = '"=""'
_FIRST_CELLS = (' "', '="')
SIGNS = (' "', '="')
"""Lines without one of these have no quirk."""

_SPACED_CELL = r'(?<={0}) +("(?:[^"]|"")*"(?=[{0}\r\n]|\Z))'
_QUOTED_CELL = re.compile(r' +".*" *', re.DOTALL)


@dataclass
class Quirks:
    """How to read such cells, and how many there were.

    Attributes:
        blanks_line: The line of the first quote behind a blank, if all are, as in ``1, "good"``;
            the blanks are then no text, as for other programs.
    """

    delimiter: str
    blanks_line: int | None = None
    _formulas: Tally = field(default_factory=lambda: Tally(0))
    _quoted: Tally = field(default_factory=lambda: Tally(0))

    def __post_init__(self) -> None:
        self.joined = JoinedRows(self.delimiter)
        self._spaced = f'{self.delimiter} "'
        self._formula = f'{self.delimiter}="'

    def is_in_line(self, line: str) -> bool:
        """Whether ``read`` may find some in a line that has one of the signs."""
        if self._formula in line or _FORMULA_IN_QUOTES in line or line.startswith(_FIRST_CELLS):
            return True
        # Two quotes are one in a quoted cell: ``"He said, ""yes"""``.
        return self._spaced in line and line.count(self._spaced) > line.count(f'{self._spaced}"')

    def read(self, record: Record) -> Record:
        """The record with the texts that its formulas stand for."""
        if record.problems:
            return record
        return record._replace(cells=tuple(self._meant(record.line, cell) for cell in record.cells))

    def _meant(self, line: int, cell: str) -> str:
        formula = _FORMULA_TEXT.fullmatch(cell)
        if formula is None:
            if _QUOTED_CELL.fullmatch(cell):
                _count(self._quoted, line)
            return cell
        _count(self._formulas, line)
        return formula[1].replace('""', '"')

    def warnings(self) -> Iterator[Problem]:
        """What was read otherwise than it is written, once all records were."""
        if self.blanks_line is not None:
            yield Problem("blanks_before_quotes", self.blanks_line)
        yield from self.joined.warnings()
        for code, tally in (("formula_texts", self._formulas), ("quotes_kept", self._quoted)):
            if tally.cells:
                values: Values = {"cells": tally.cells}
                yield Problem(code, tally.first_row, values=values)


def _count(tally: Tally, line: int) -> None:
    tally.first_row = tally.first_row or line
    tally.cells += 1


@dataclass(frozen=True)
class SpacedQuotes:
    """A sample in which every quoted cell stands behind a blank.

    Attributes:
        sample: Without these blanks.
        line: That of the first, from 0.
    """

    delimiter: str
    sample: str
    line: int


def find_spaced_quotes(sample: str, delimiters: Sequence[str]) -> SpacedQuotes | None:
    """The delimiter behind which all quotes are, with a blank between; each holds a whole cell."""
    for delimiter in delimiters:
        cells = re.compile(_SPACED_CELL.format(re.escape(delimiter)))
        first = cells.search(sample) if f'{delimiter} "' in sample else None
        if first is None:
            continue
        left = re.sub(f'{re.escape(delimiter)} +"(?:[^"]|"")*\\Z', "", cells.sub("", sample))
        if not re.search(f'{re.escape(delimiter)} *"', left) and _is_even(sample, delimiter):
            line = sample.count("\n", 0, first.start())
            return SpacedQuotes(delimiter, cells.sub(r"\1", sample), line)
    return None


def _is_even(sample: str, delimiter: str) -> bool:
    """Whether it has as many cells in each record but the last, which may be cut."""
    lines = (f"{line}\n" for line in sample.split("\n"))
    try:
        rows = [cells for cells in csv.reader(lines, delimiter=delimiter, skipinitialspace=True) if cells]
    except csv.Error:
        return False
    return len({*map(len, rows[:-1] or rows)}) == 1
