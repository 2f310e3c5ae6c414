"""Takes blank rows, and empty cells beside the columns, out of a table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from itertools import chain, islice
from typing import NamedTuple

from shared.formats.charsets.decoding import EncodingMismatch
from shared.formats.json.cells import JsonCells, is_written
from shared.formats.record import FirstRecords, Record, RecordBlock, Records
from shared.formats.sheets.cells import column_letters
from shared.formats.tables.typed_cells import TypedCells
from shared.inputs.tables.header_words import is_no_number_name
from shared.problems.exceptions import UserInputError
from shared.problems.problem import Problem, ProblemList, Values

_LOOKED_AT = 20
_FEWEST_ALIKE = 2
_NUMBER = re.compile(r"[-+]?[0-9][0-9.,]*%?")


def is_blank(cells: Sequence[str]) -> bool:
    if isinstance(cells, JsonCells):
        return not any(map(is_written, cells.escaped))
    return not any(cell.strip() for cell in cells)


def written_rows(records: Iterable[Record | RecordBlock], warnings: ProblemList) -> Records:
    """The rows that hold anything; warn of the others, apart from those at the end."""
    first_blank = first_held = 0
    blank = held = 0
    for record in _apart_if_blank(records):
        if isinstance(record, RecordBlock) or record.problems or not is_blank(record.cells):
            if held:
                blank, held, first_blank = blank + held, 0, first_blank or first_held
            yield record
            continue
        first_held = first_held if held else record.line
        held += 1
    if blank:
        warnings.add(Problem("blank_rows", first_blank, values={"rows": blank}))
    if held:
        warnings.add(Problem("trailing_empty_rows", first_held, values={"rows": held}))


def _apart_if_blank(records: Iterable[Record | RecordBlock]) -> Records:
    """The same; only a block without any blank row stays one."""
    for item in records:
        if isinstance(item, RecordBlock) and not all(map(is_written, [cells[0] for cells in item.rows])):
            yield from item.records()
        else:
            yield item


class Beside(NamedTuple):
    """What is said of cells to the right of a sheet's table: in few rows, and in many."""

    note: str
    column: str


_BESIDE_HEADER = Beside("cells_beside_table", "column_without_name")


class TableShape:
    """How many cells a row has, and which rows are made to have as many.

    Attributes:
        width: How many columns there are.
    """

    def __init__(
        self, columns: Sequence[str], first_of_sheet: int = 0, said_of: Beside = _BESIDE_HEADER
    ) -> None:
        """The columns, and which one of a sheet is the first of them, from 1; 0 without a sheet."""
        self.width = len(columns)
        self._first_name = next(iter(columns), "")
        self._named = len(without_blank_end(columns))
        self._first_of_sheet = first_of_sheet
        self._said_of = said_of
        self._drops_surplus = False
        self._dropped = self._first_dropped = 0
        self._beside: Problem | None = None
        self._rows_beside = 0

    def learn(self, records: Records, warnings: ProblemList, used: AbstractSet[int] | None = None) -> Records:
        """The same records; looks at the first ones if there are more or fewer cells than columns.

        A separator too many at the end of the header, or of the rows below, is in all of them. In
        some rows alone, it is more likely that a cell has one: these stay as they are. ``used`` are
        the columns of the prompt, if there is a header.

        Raises:
            UserInputError: All rows have a cell too many, and seemingly not at their end.
        """
        alone = FirstRecords(records)
        first = next(alone, None)
        if first is None:
            return iter(())
        if first.problems or len(first.cells) == self.width:
            return chain([first], alone.rest())
        held, all_records = ahead(chain([first], alone.rest()))
        rows = [record.cells for record in held if not record.problems]
        if self._named < self.width and {*map(len, rows)} == {self._named}:
            self.width = self._named
            warnings.add(Problem("trailing_separators_in_header", values={"columns": self.width}))
        alike = sum(self._has_empty_surplus(cells) for cells in rows)
        is_long = len(rows) >= _FEWEST_ALIKE and all(len(cells) > self.width for cells in rows)
        self._drops_surplus = is_long and 2 * alike > len(rows)
        if is_long and used is not None and not self._first_of_sheet:
            self._refuse_shifted(rows, used, first.line)
        return all_records

    def _refuse_shifted(self, rows: Sequence[Sequence[str]], used: AbstractSet[int], line: int) -> None:
        if {*map(len, rows)} != {self.width + 1}:
            return
        has_row_names = is_no_number_name(self._first_name) and _are_counted(rows)
        is_shifted = has_row_names or all(map(_is_torn, rows)) or _are_beside(rows, used)
        if self._drops_surplus and not is_shifted:
            return
        values: Values = {"columns": self.width, "cells": self.width + 1}
        raise UserInputError([Problem("rows_one_cell_longer", line, values=values)])

    def fitted(self, record: Record) -> Record:
        """A row of another width, made to fit if nothing is lost or guessed."""
        cells = record.cells
        if record.problems:
            return record
        if self._first_of_sheet:
            # Empty cells at the end of a sheet's row are not written down, and nothing shifts them.
            self._note_beside(record)
            return record._replace(cells=self._of_width(cells))
        if not (self._drops_surplus and self._has_empty_surplus(cells)):
            return record
        self._dropped += 1
        self._first_dropped = self._first_dropped or record.line
        return record._replace(cells=self._of_width(cells))

    def _note_beside(self, record: Record) -> None:
        beside = enumerate(record.cells[self.width :], self._first_of_sheet + self.width)
        found = next(((column, cell) for column, cell in beside if cell.strip()), None)
        if found is not None:
            self._rows_beside += 1
            if self._beside is None:
                place = f"{column_letters(found[0])}{record.line}"
                self._beside = Problem(self._said_of.note, record.line, place, found[1])

    def finish(self, rows: int, warnings: ProblemList) -> None:
        """Say what was dropped, once all rows were seen.

        Raises:
            UserInputError: What stands beside the table is no note, but a column without a name.
        """
        if self._dropped:
            values = {"rows": self._dropped, "columns": self.width}
            warnings.add(Problem("trailing_separators", self._first_dropped, values=values))
        if self._beside is None:
            return
        beside = replace(self._beside, values={"rows": self._rows_beside, "columns": self.width + 1})
        if self._rows_beside > 1 and 10 * self._rows_beside > rows:
            raise UserInputError([replace(beside, code=self._said_of.column)])
        warnings.add(beside)

    def _of_width(self, cells: Sequence[str]) -> Sequence[str]:
        if isinstance(cells, JsonCells):
            return JsonCells(cells.escaped[: self.width])
        if isinstance(cells, TypedCells):
            return cells.of_width(self.width)
        return (*cells[: self.width], *[""] * (self.width - len(cells)))

    def _has_empty_surplus(self, cells: Sequence[str]) -> bool:
        return len(cells) > self.width and is_blank(cells[self.width :])


def _is_torn(cells: Sequence[str]) -> bool:
    """Whether some cell begins with a blank, as behind a comma in a sentence, and others do not."""
    begins_blank = {cell[0] == " " for cell in islice(cells, 1, None) if cell.strip()}
    return begins_blank == {True, False}


def _are_counted(rows: Sequence[Sequence[str]]) -> bool:
    """Whether they begin with 1, 2, 3 …, as R names rows."""
    return all(cells[0] == str(number) for number, cells in enumerate(rows, start=1))


def _are_beside(rows: Sequence[Sequence[str]], used: AbstractSet[int]) -> bool:
    """Whether the prompt would get only numbers, and what seems to be meant stands beside them."""

    def are_numbers(place: int) -> bool:
        return all(_NUMBER.fullmatch(cells[place].strip()) for cells in rows)

    def are_texts(place: int) -> bool:
        return not any(_NUMBER.fullmatch(cells[place].strip()) or not cells[place].strip() for cells in rows)

    return bool(used) and all(map(are_numbers, used)) and any(are_texts(place + 1) for place in used)


def form_problems(record: Record, columns: int) -> tuple[Problem, ...]:
    if record.problems or len(record.cells) == columns:
        return record.problems
    values = {"expected": columns, "found_columns": len(record.cells)}
    return (Problem("ragged_row", record.line, values=values),)


def without_blank_end(cells: Sequence[str]) -> Sequence[str]:
    width = len(cells)
    while width and not cells[width - 1].strip():
        width -= 1
    return cells[:width]


def ahead(records: Records) -> tuple[list[Record], Records]:
    """The first records, and all of them, with what is wrong with the file behind these."""
    held: list[Record] = []
    alone = FirstRecords(records)
    try:
        held.extend(islice(alone, _LOOKED_AT))
    except (UserInputError, EncodingMismatch) as error:
        return held, chain(held, _Raising(error))
    return held, chain(held, alone.rest())


class _Raising(Iterator[Record]):
    def __init__(self, error: Exception) -> None:
        self._error = error

    def __next__(self) -> Record:
        raise self._error
