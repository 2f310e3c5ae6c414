"""Writes a job's result as xlsx workbooks, from its finished parts and in constant memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import Any

from pydantic import JsonValue

from shared.bucket.records.ledger import Ledger
from shared.bucket.records.plan import Plan
from shared.bucket.result_names import numbered_result_key_for, overflow_key_for
from shared.formats.tables.workbook_writer import (
    MAX_CELL_CHARS,
    MAX_ROWS,
    MAX_SHEET_BYTES,
    SheetWriter,
    open_workbook,
    sheet_name_for,
)
from shared.ports.clock import Pause
from shared.ports.store import ObjectStore
from shared.problems.exceptions import WorkLeft
from shared.recipes.columns.answers import AnswerColumns
from shared.results.columns import free_names
from shared.results.tables.books_written import BooksWritten, find_books, keep_books
from shared.results.tables.ledger_sheet import ledger_rows
from shared.results.tables.long_texts import LongTexts, fitting
from shared.results.tables.object_file import ObjectFile
from shared.results.tables.part_values import Places, part_lines, read_exactly, values_reader
from shared.results.tables.sheet_columns import is_beyond, sheet_columns
from shared.results.tables.side_keys import SideKeys, file_name

_RESULT = "result"  # of a file that had no sheets
_LEDGER = "账目"
# Fewer rows are written well within the time of one invocation, even as several workbooks.
_MANY_ROWS = 100_000


def write_xlsx_result(
    store: ObjectStore, plan: Plan, parts: Sequence[str], key: str, ledger: Ledger, *, pause: Pause
) -> tuple[str, ...]:
    """Write the object ``key`` from the parts, whose lines are those of a JSONL result.

    The first sheet has the name and the columns of the dropped file's, the second is the ledger.
    Rows that a sheet cannot hold go to ``….2.xlsx`` and so on, texts that a cell cannot hold to
    ``….overflow.jsonl``. The same parts give the same bytes. Returns the keys of the further
    workbooks that have rows.

    Raises:
        ObjectMissing: One of the parts is not there.
        WorkLeft: By ``pause``, behind a workbook; the next call goes on there.
    """
    aside = f"{parts[-1]}.books" if plan.rows >= _MANY_ROWS else None
    written = find_books(store, aside, key) if aside else BooksWritten()
    books = _Books(store, plan, key, ledger, aside=aside, written=written)
    with books.overflow:
        further = books.write(_lines_behind(store, plan, parts, written.rows), pause)
        books.overflow.commit()
    return further


def _lines_behind(store: ObjectStore, plan: Plan, parts: Sequence[str], rows: int) -> Iterator[bytes]:
    """The lines of all parts but for the first ``rows``; whole parts are not even read."""
    left = 0
    for shard in plan.shards:
        if rows < shard.rows:
            break
        rows, left = rows - shard.rows, left + 1
    return islice(part_lines(store, parts[left:]), rows, None)


class _Books:
    def __init__(
        self,
        store: ObjectStore,
        plan: Plan,
        key: str,
        ledger: Ledger,
        *,
        aside: str | None,
        written: BooksWritten,
    ) -> None:
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
        self._aside = aside
        self._written = [book for book, _ in written.books]
        self._rows = written.rows
        self.overflow = LongTexts(store, self._keys, overflow_key_for(key), self._names, places, aside=aside)
        self.overflow.pieces.extend(written.texts)
        self.overflow.cut = written.cut

    def write(self, lines: Iterator[bytes], pause: Pause) -> tuple[str, ...]:
        """Write as many workbooks as it takes; those that an earlier version left are emptied."""
        before = self._number
        first = next(lines, None) if before else self._write_book(self._key, lines)
        while first is not None:
            if self._number > before:
                self._pause(pause)
            key = self._keys.claim(numbered_result_key_for(self._key, self._number + 1))
            first = self._write_book(key, chain([first], lines))
        further = tuple(self._written[1:])
        while self._keys.is_left(numbered_result_key_for(self._key, self._number + 1)):
            key = self._keys.claim(numbered_result_key_for(self._key, self._number + 1))
            self._write_book(key, iter(()))
        return further

    @property
    def _number(self) -> int:
        return len(self._written)

    def _pause(self, pause: Pause) -> None:
        if self._aside is None:
            return
        try:
            pause()
        except WorkLeft:
            texts = {"texts": tuple(self.overflow.pieces), "cut": self.overflow.cut}
            written = BooksWritten(rows=self._rows, **texts)
            keep_books(self._store, self._aside, self._written, written)
            raise

    def _write_book(self, key: str, lines: Iterator[bytes]) -> bytes | None:
        """Write one, and return the first line that it could not hold."""
        cut_before = self.overflow.cut
        with self._store.open_writer(key) as writer:
            with open_workbook(ObjectFile(writer), self._sheets) as book:
                with book.sheet() as sheet:
                    sheet.row(self.overflow.header(file_name(key)))
                    following = self._write_rows(sheet, lines, file_name(key))
                more: dict[str, JsonValue] = {"rows_in_file": sheet.rows - 1}
                if following is not None:
                    following_key = self._keys.claim(numbered_result_key_for(self._key, self._number + 2))
                    more["next_file"] = file_name(following_key)
                if cut := self.overflow.cut - cut_before:
                    more |= {"cells_cut": cut, "overflow_file": file_name(self.overflow.key)}
                with book.sheet() as account:
                    for row in ledger_rows(self._ledger, more):
                        account.row([fitting(each) if isinstance(each, str) else each for each in row])
            writer.commit()
        self.overflow.end_book()
        self._written.append(key)
        self._rows += sheet.rows - 1
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
