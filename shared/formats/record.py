"""The records of a table in any format, and what a reader notes of the file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import NamedTuple

from shared.formats.json.cells import JsonCells
from shared.problems.problem import Problem, ProblemList


class Record(NamedTuple):
    """One record. If its quotes are wrong, its raw text is its only cell."""

    line: int
    cells: Sequence[str]
    problems: tuple[Problem, ...] = ()


class RecordBlock(NamedTuple):
    """Consecutive records that have no problems, so that most work is done for all at once.

    Attributes:
        lines: The first line of each.
        rows: The cells of each, as the inside of JSON strings; none is without any.
    """

    lines: Sequence[int]
    rows: Sequence[Sequence[bytes]]

    def records(self) -> Iterator[Record]:
        return map(Record, self.lines, map(JsonCells, self.rows))

    def halves(self) -> tuple[RecordBlock, RecordBlock]:
        at = len(self.rows) // 2
        return RecordBlock(self.lines[:at], self.rows[:at]), RecordBlock(self.lines[at:], self.rows[at:])


Records = Iterator[Record | RecordBlock]


def each_record(records: Iterable[Record | RecordBlock]) -> Iterator[Record]:
    """All records, each by itself."""
    for item in records:
        if isinstance(item, RecordBlock):
            yield from item.records()
        else:
            yield item


class FirstRecords(Iterator[Record]):
    """Gives records one by one, for who looks at the first ones only."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._of_block: Iterator[Record] = iter(())

    def __next__(self) -> Record:
        while (record := next(self._of_block, None)) is None:
            item = next(self._records)
            if isinstance(item, Record):
                return item
            self._of_block = item.records()
        return record

    def rest(self) -> Records:
        """What was not given, in blocks again."""
        return chain(self._of_block, self._records)


@dataclass(frozen=True)
class SheetLayout:
    """Of a sheet's table; columns count from 0, the first of the table.

    Attributes:
        merged: The first and last rows of the cells that are merged downwards, by column.
        pictures: The row and column of the corner of each picture that lies on top of the cells.
        first_column: Which column of the sheet is the table's first, from 1.
    """

    merged: Mapping[int, Sequence[tuple[int, int]]] = field(default_factory=dict)
    pictures: Sequence[tuple[int, int]] = ()
    first_column: int = 1


@dataclass
class TableNotes:
    """What a reader learns of a file, and what an earlier reading of it learnt.

    Attributes:
        tried_encoding: The ``next_encoding`` of the ``EncodingMismatch`` that ended the last
            reading.
        column_types: Of a file whose columns have types, Arrow's names of them.
        layout: Of a workbook's sheet.
        other_sheets: Reads the workbook's others that people see, by name.
        beginnings: Reads only so many rows of these, without what is no text.
    """

    tried_encoding: str | None = None
    encoding: str = "utf-8"
    delimiter: str | None = None
    sheet: str | None = None
    column_types: tuple[str, ...] = ()
    layout: SheetLayout = field(default_factory=SheetLayout)
    other_sheets: Callable[[], Iterator[tuple[str, Iterator[Record]]]] = lambda: iter(())
    beginnings: Callable[[int], Iterator[tuple[str, list[list[str]]]]] = lambda _rows: iter(())
    warnings: ProblemList = field(default_factory=ProblemList)
