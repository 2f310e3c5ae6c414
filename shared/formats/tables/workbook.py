"""The rows of a sheet of an xlsx workbook as records, read by calamine."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, suppress
from datetime import time, timedelta
from functools import partial
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any
from zipfile import ZipFile

from shared.formats.record import Record, SheetLayout, TableNotes
from shared.formats.sheets.cells import Tally, column_letters
from shared.formats.sheets.copy import write_copy
from shared.formats.sheets.long_numbers import LongNumbers
from shared.formats.sheets.parts import WorkbookParts
from shared.formats.sheets.scanner import SheetScan
from shared.formats.tables.cell_texts import SheetTexts, cell_text, is_long
from shared.formats.tables.typed_cells import TypedCells, typed_sheet_cells
from shared.formats.tables.workbook_scan import BROKEN, beginnings, scan_workbook, visible_sheets
from shared.problems.exceptions import UserInputError
from shared.problems.problem import Problem

if TYPE_CHECKING:
    from python_calamine import CalamineSheet

_SHORTEST_DAYS = 0.001 / 86_400


def workbook_records(file: IO[bytes], wanted: str | None, notes: TableNotes) -> Iterator[Record]:
    """Yield the rows of one sheet from the first that holds anything, with their row numbers.

    Empty columns on the left of the sheet are left out, and so are empty cells right of the last
    column that the first row names. Hidden rows and columns are read like others. A merged cell
    has its value in its first cell; a picture is an empty cell.

    Args:
        file: At its beginning; it stays open.
        wanted: The name of the sheet; ``None`` for the first that is neither hidden nor empty.
        notes: Gets the name of the sheet, its layout, and warnings of formulas without a value, of
            pictures, and, at the end, of numbers that have lost digits.

    Raises:
        UserInputError: The file is not a workbook, is protected, has no such sheet, or would take
            too much memory.
    """
    scan = scan_workbook(file, wanted)
    notes.sheet = scan.name
    notes.other_sheets = partial(_other_sheets, file, scan.name)
    notes.beginnings = partial(beginnings, file, scan.name)
    notes.warnings.extend(_findings(scan))
    sheet = _loaded(file, scan)
    first_column = sheet.start[1] + 1 if sheet.start else 1
    notes.layout = _layout(scan, first_column)
    with _Panics(), ZipFile(file) as archive:
        rows = _Rows(scan, first_column, LongNumbers(archive, scan.part))
        yield from _trimmed(
            (row, rows.texts(row, values), values) for row, values in enumerate(sheet.iter_rows(), start=1)
        )
    notes.warnings.extend(_told("long_number", rows.long_numbers))


def _other_sheets(file: IO[bytes], name: str) -> Iterator[tuple[str, Iterator[Record]]]:
    for other in visible_sheets(file):
        if other != name:
            yield other, workbook_records(file, other, TableNotes())


def _findings(scan: SheetScan) -> Iterator[Problem]:
    if scan.skipped:
        yield Problem("empty_sheets", found=scan.name, values={"sheets": ", ".join(scan.skipped)})
    if scan.without_value.cells:
        values = {"cells": scan.without_value.cells}
        yield Problem("formula_without_value", scan.without_value.first_row or None, values=values)
    yield from _told("image_in_cell", scan.pictures)


def _told(code: str, columns: Mapping[int, Tally]) -> Iterator[Problem]:
    for column, tally in sorted(columns.items()):
        yield Problem(code, tally.first_row, column_letters(column), values={"cells": tally.cells})


def _layout(scan: SheetScan, first_column: int) -> SheetLayout:
    merged = {column - first_column: places for column, places in scan.merged.items()}
    pictures = [(row, column - first_column) for row, column in scan.drawn]
    return SheetLayout(merged, pictures, first_column)


class _Rows:
    """The rows of a loaded sheet as texts, with what people see and calamine does not read."""

    def __init__(self, scan: SheetScan, first_column: int, exact: LongNumbers) -> None:
        self.long_numbers: dict[int, Tally] = {}
        self._changed = scan.changed
        self._first = first_column
        self._exact = exact
        self._has_negative = scan.has_negative
        self._texts = SheetTexts()

    def texts(self, row: int, values: list[Any]) -> list[str]:
        """The texts of a row; also mends ``values`` where they are not what people see."""
        changed = [
            (column - self._first, text)
            for column, text in self._changed.get(row, {}).items()
            if column >= self._first
        ]
        for position, _ in changed:
            values.extend([""] * (position + 1 - len(values)))
            values[position] = ""
        texts = self._texts.texts(values)
        for position, text in changed:
            texts[position] = text
        if self._texts.has_long or (self._has_negative and time in map(type, values)):
            self._texts.has_long = False
            self._put_exact(row, values, texts)
        return texts

    def _put_exact(self, row: int, values: list[Any], texts: list[str]) -> None:
        for position, value in enumerate(values):
            column = position + self._first
            if type(value) is time:
                days = float(self._exact.digits(row, column) or 0)
                if days <= -_SHORTEST_DAYS:  # else it is what a difference of equal times leaves
                    values[position] = timedelta(days=days)
                    texts[position] = cell_text(values[position])
            elif is_long(value):
                self.long_numbers.setdefault(column, Tally(row)).cells += 1
                texts[position] = self._exact.digits(row, column) or texts[position]
                values[position] = texts[position]  # no number holds so many digits


def _loaded(file: IO[bytes], scan: SheetScan) -> CalamineSheet:
    """The sheet, or else a copy of it that calamine reads right."""
    if not scan.needs_copy:
        with suppress(UserInputError):
            return _load(file, scan.name)
    copy = io.BytesIO()  # packed; it is far smaller than what is loaded of it
    try:
        with ZipFile(file) as archive:
            write_copy(WorkbookParts(archive), scan, copy)
    except BROKEN as error:
        raise _unreadable(error) from error
    return _load(copy, scan.name)


def _load(file: IO[bytes], name: str) -> CalamineSheet:
    import python_calamine  # noqa: PLC0415  # only workbooks need it

    file.seek(0)
    try:
        with _Panics(), python_calamine.CalamineWorkbook.from_filelike(file) as workbook:
            return workbook.get_sheet_by_name(name)
    except python_calamine.CalamineError as error:
        raise _unreadable(error) from error


def _unreadable(error: BaseException) -> UserInputError:
    return UserInputError([Problem("unreadable_spreadsheet", values={"reason": str(error)})])


def _trimmed(rows: Iterable[tuple[int, list[str], list[Any]]]) -> Iterator[Record]:
    """Leave out empty rows at the top, and what a stray cell added to the right of every row."""
    below = itertools.dropwhile(lambda row: not any(row[1]), rows)
    width = 0
    for number, cells, values in below:
        width = width or _written_width(cells)
        end = max(width, _written_width(cells))
        typed = TypedCells.of(cells[:end], values[:end], typed_sheet_cells)
        # Excel writes it as _x0000_.
        yield Record(number, typed, _nul_problems(number, cells) if "\0" in "".join(cells) else ())


def _nul_problems(number: int, cells: list[str]) -> tuple[Problem, ...]:
    found = next(cell for cell in cells if "\0" in cell)
    return (Problem("nul_character", number, values={"position": found.index("\0") + 1}),)


def _written_width(cells: list[str]) -> int:
    width = len(cells)
    while width and not cells[width - 1]:
        width -= 1
    return width


class _Panics(AbstractContextManager[None]):
    """Turns a panic of the Rust code, which is no ``Exception``, into an unreadable file."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None and type(error).__name__ == "PanicException":
            raise _unreadable(error) from error
