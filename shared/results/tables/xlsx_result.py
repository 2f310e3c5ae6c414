"""Writes a job's result as xlsx workbooks, from its finished parts and in constant memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from pydantic import JsonValue

from shared.bucket.records import Ledger, Plan
from shared.bucket.result_names import numbered_result_key_for, overflow_key_for
from shared.formats.tables.workbook_writer import (
    MAX_CELL_CHARS,
    MAX_ROWS,
    MAX_SHEET_BYTES,
    SheetWriter,
    open_workbook,
    sheet_name_for,
)
from shared.ports.store import ObjectStore
from shared.recipes.columns.answers import AnswerColumns
from shared.results.columns import free_names
from shared.results.tables.ledger_sheet import ledger_rows
from shared.results.tables.long_texts import LongTexts, fitting
from shared.results.tables.object_file import ObjectFile
from shared.results.tables.part_values import Places, part_lines, read_exactly, values_reader
from shared.results.tables.sheet_columns import is_beyond, sheet_columns
from shared.results.tables.side_keys import SideKeys, file_name

_RESULT = "result"  # of a file that had no sheets
_LEDGER = "账目"


def write_xlsx_result(
    store: ObjectStore, plan: Plan, parts: Sequence[str], key: str, ledger: Ledger
) -> tuple[str, ...]:
    """Write the object ``key`` from the parts, whose lines are those of a JSONL result.

    The first sheet has the name and the columns of the dropped file's, the second is the ledger.
    Rows that a sheet cannot hold go to ``….2.xlsx`` and so on, texts that a cell cannot hold to
    ``….overflow.jsonl``. The same parts give the same bytes. Returns the keys of the further
    workbooks that have rows.

    Raises:
        ObjectMissing: One of the parts is not there.
    """
    books = _Books(store, plan, key, ledger)
    with books.overflow:
        further = books.write(part_lines(store, parts))
        books.overflow.commit()
    return further


class _Books:
    def __init__(self, store: ObjectStore, plan: Plan, key: str, ledger: Ledger) -> None:
        places = Places(plan)
        self._names = _header(plan, places)
        self._store = store
        self._key = key
        self._keys = SideKeys(store, plan)
        self._ledger = ledger
        self._columns = sheet_columns(plan, places)
        self._answers = tuple(places.answers)
        self._read = values_reader(self._columns)
        name = sheet_name_for(plan.sheet or _RESULT) or _RESULT
        self._sheets = (name, sheet_name_for(_LEDGER, name))
        self.overflow = LongTexts(store, self._keys, overflow_key_for(key), self._names, places)

    def write(self, lines: Iterator[bytes]) -> tuple[str, ...]:
        """Write as many workbooks as it takes; those that an earlier version left are emptied."""
        further: list[str] = []
        number, first = 1, self._write_book(self._key, lines)
        while first is not None or self._keys.is_left(numbered_result_key_for(self._key, number + 1)):
            number += 1
            rest = iter(()) if first is None else chain([first], lines)
            key = self._keys.claim(numbered_result_key_for(self._key, number))
            if first is not None:
                further.append(key)
            first = self._write_book(key, rest, number)
        return tuple(further)

    def _write_book(self, key: str, lines: Iterator[bytes], number: int = 1) -> bytes | None:
        """Write one, and return the first line that it could not hold."""
        cut_before = self.overflow.cut
        with self._store.open_writer(key) as writer:
            with open_workbook(ObjectFile(writer), self._sheets) as book:
                with book.sheet() as sheet:
                    sheet.row(self.overflow.header(file_name(key)))
                    following = self._write_rows(sheet, lines, file_name(key))
                more: dict[str, JsonValue] = {"rows_in_file": sheet.rows - 1}
                if following is not None:
                    following_key = self._keys.claim(numbered_result_key_for(self._key, number + 1))
                    more["next_file"] = file_name(following_key)
                if cut := self.overflow.cut - cut_before:
                    more |= {"cells_cut": cut, "overflow_file": file_name(self.overflow.key)}
                with book.sheet() as account:
                    for row in ledger_rows(self._ledger, more):
                        account.row([fitting(each) if isinstance(each, str) else each for each in row])
            writer.commit()
        return following

    def _write_rows(self, sheet: SheetWriter, lines: Iterator[bytes], file: str) -> bytes | None:
        for line in lines:
            if sheet.rows == MAX_ROWS or sheet.size_bytes >= MAX_SHEET_BYTES:
                return line
            values = self._values(line)
            if len(line) > MAX_CELL_CHARS:  # no shorter one holds a text that is too long
                self.overflow.shorten(values, file, sheet.rows + 1)
            sheet.row(values)
        return None

    def _values(self, line: bytes) -> list[Any]:
        values = self._read(line)
        if any(is_beyond(values[at]) for at in self._answers):
            values = read_exactly(line, self._columns)
        for at, made in self._columns.items():
            values[at] = made(values[at])
        return values


def _header(plan: Plan, places: Places) -> tuple[str, ...]:
    """As the file has it: a repeated name stays so."""
    own = plan.columns[: places.own]
    answers = AnswerColumns.names_of(plan.answer_columns) if own else ()
    return (*own, *free_names(own, (*places.names, *answers)))
