"""Takes out of a table what belongs to its header: the rule beneath it, and its repetitions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import chain

from shared.formats.json.cells import JsonCells, escape
from shared.formats.record import FirstRecords, Record, RecordBlock, Records
from shared.problems.exceptions import UserInputError
from shared.problems.problem import Problem, ProblemList, Values

# ``|----|:---:|`` of Markdown, ``----+----`` of psql, and the dashes of sqlcmd.
_RULE = re.compile(r"\s*:?[-=─]{2,}(?:[+┼][-=─]+)*:?\s*")
_SHORTEST_ALONE = 10
_LONG_RULE = re.compile("[-=─]{3}")


def without_rule(records: Records, warnings: ProblemList) -> Records:
    """The rows below the header; the first is none if it only underlines the header.

    A single column may well hold a few dashes.
    """
    alone = FirstRecords(records)
    first = next(alone, None)
    if first is None:
        return iter(())
    if first.problems or not _is_rule(first.cells) or _is_short(first.cells):
        return chain([first], alone.rest())
    warnings.add(Problem("rule_below_header", first.line))
    return alone.rest()


def _is_rule(cells: Sequence[str]) -> bool:
    written = [cell for cell in cells if cell.strip()]
    return any(map(_LONG_RULE.search, written)) and all(map(_RULE.fullmatch, written))


def _is_short(cells: Sequence[str]) -> bool:
    return len(cells) == 1 and len(cells[0]) < _SHORTEST_ALONE


def without_repetitions(
    records: Iterable[Record | RecordBlock], header: Sequence[str], warnings: ProblemList
) -> Records:
    """The rows that do not repeat the header, as those do at which files were joined.

    A single column may well hold its own name: such a row is only told. Separators too many at its
    end are no difference, and a rule below it is no row either.

    Raises:
        UserInputError: The header comes again with its columns in another order.
    """
    repetitions = _Repetitions(header)
    for item in records:
        if isinstance(item, Record):
            if repetitions.is_row(item):
                yield item
        elif repetitions.may_be_in(item):
            yield from filter(repetitions.is_row, item.records())
        else:
            yield item
    warnings.extend(repetitions.warnings())


class _Repetitions:
    def __init__(self, header: Sequence[str]) -> None:
        self._header = header
        self._names = _names_in(header)
        self._begins: set[str | bytes] = {*self._names}
        with suppress(UnicodeEncodeError):
            self._begins.update(escape(name).lower() for name in header)
        self._is_single = sum(bool(cell.strip()) for cell in header) < 2
        self._rows = self._first_line = 0
        self._is_below = False

    def may_be_in(self, block: RecordBlock) -> bool:
        return self._is_below or not self._begins.isdisjoint([cells[0].lower() for cells in block.rows])

    def is_row(self, record: Record) -> bool:
        if self._is_below and _is_rule(record.cells):
            return False
        self._is_below = False
        cells = record.cells
        # Hardly any row begins like one, so that only few are looked at closely.
        first = cells.escaped[0] if isinstance(cells, JsonCells) else cells[0] if cells else ""
        if first.lower() not in self._begins:
            return True
        if not _repeats(record, self._header, self._names, is_single=self._is_single):
            return True
        self._rows += 1
        self._first_line = self._first_line or record.line
        self._is_below = not self._is_single
        return self._is_single

    def warnings(self) -> Iterator[Problem]:
        if self._rows:
            values: Values = {"rows": self._rows}
            code = "header_as_row" if self._is_single else "repeated_header"
            yield Problem(code, self._first_line, values=values)


def _repeats(record: Record, header: Sequence[str], names: Sequence[str], *, is_single: bool) -> bool:
    if is_single:
        return tuple(record.cells) == tuple(header)
    cells = _names_in(record.cells)
    if cells != names and sorted(cells) == sorted(names):
        values: Values = {"columns": ", ".join(header)}
        problem = Problem("columns_in_other_order", record.line, found=", ".join(record.cells), values=values)
        raise UserInputError([problem])
    return cells == names


def _names_in(cells: Sequence[str]) -> list[str]:
    names = [cell.lower() for cell in cells]
    while names and not names[-1]:
        names.pop()
    return names
