"""The rows of a sheet of an xlsx workbook as records, read by calamine."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from types import TracebackType
from typing import IO, Any

from shared.formats.record import Record, TableNotes
from shared.formats.tables.cell_texts import cell_text
from shared.formats.tables.sheet_scanner import SheetScan
from shared.formats.tables.typed_cells import TypedCells, typed_sheet_cell
from shared.formats.tables.workbook_scan import scan_workbook
from shared.problems.exceptions import UserInputError
from shared.problems.problem import Problem

_OLE = b"\xd0\xcf\x11\xe0"  # the container of encrypted workbooks, and of those of Excel 97-2003


def workbook_records(file: IO[bytes], wanted: str | None, notes: TableNotes) -> Iterator[Record]:
    """Yield the rows of one sheet from the first that holds anything, with their row numbers.

    Empty columns on the left of the sheet are left out, and so are empty cells right of the last
    column that the first row names. Hidden rows and columns are read like others. A merged cell
    has its value in its first cell.

    Args:
        file: At its beginning; it stays open.
        wanted: The name of the sheet; ``None`` for the first that is not hidden.
        notes: Gets the name of the sheet, and a warning if formulas have no value.

    Raises:
        UserInputError: The file is not a workbook, is protected, has no such sheet, or would take
            too much memory.
    """
    if file.read(len(_OLE)) == _OLE:
        raise UserInputError([Problem("protected_spreadsheet")])
    file.seek(0)
    scan = scan_workbook(file, wanted)
    notes.sheet = scan.name
    if scan.without_value:
        values = {"cells": scan.without_value}
        notes.warnings.add(Problem("formula_without_value", scan.first_without_value or None, values=values))
    file.seek(0)
    yield from _trimmed(_rows(file, scan))


def _rows(file: IO[bytes], scan: SheetScan) -> Iterator[tuple[int, list[str], list[Any]]]:
    import python_calamine  # noqa: PLC0415  # only workbooks need it

    try:
        with _Panics(), python_calamine.CalamineWorkbook.from_filelike(file) as workbook:
            sheet = workbook.get_sheet_by_name(scan.name)
            first_column = sheet.start[1] if sheet.start else 0
            errors = {(row, column - first_column): text for (row, column), text in scan.errors.items()}
            for row, values in enumerate(sheet.iter_rows()):
                cells = list(map(cell_text, values))
                if errors:
                    _put_errors(cells, row, errors)
                yield row + 1, cells, values
    except python_calamine.CalamineError as error:
        raise UserInputError([Problem("unreadable_spreadsheet", values={"reason": str(error)})]) from error


def _put_errors(cells: list[str], row: int, errors: dict[tuple[int, int], str]) -> None:
    """Calamine leaves a cell empty if its formula ended in an error; people see ``#N/A``."""
    for column in range(len(cells)):
        cells[column] = cells[column] or errors.get((row, column), "")


def _trimmed(rows: Iterable[tuple[int, list[str], list[Any]]]) -> Iterator[Record]:
    """Leave out empty rows at the top, and what a stray cell added to the right of every row."""
    below = itertools.dropwhile(lambda row: not any(row[1]), rows)
    width = 0
    for number, cells, values in below:
        width = width or _written_width(cells)
        end = max(width, _written_width(cells))
        yield Record(number, TypedCells.of(cells[:end], values[:end], typed_sheet_cell))


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
        if kind is not None and kind.__name__ == "PanicException":
            raise UserInputError(
                [Problem("unreadable_spreadsheet", values={"reason": str(error)})]
            ) from error
