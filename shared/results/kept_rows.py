"""Rows as they are kept: the original ones of a shard, and those of a settled part.

The n-th record of a part belongs to the shard's n-th row, and begins with that row's cells as they are written.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import orjson

from shared.bucket.records import Plan
from shared.formats.json.cells import JsonCells, escape
from shared.formats.lines import byte_lines, numbered_lines
from shared.problems.exceptions import PipelineError
from shared.results.columns import Answer, ResultColumns, RowStatus
from shared.results.rendering import SettledAnswer, rendering_for

_ANSWERED = RowStatus.ANSWERED.value
_OK = 200


class PartUnreadable(PipelineError):
    """The part does not belong to these rows, or is damaged."""

    code = "part_unreadable"


def answered_rows(
    plan: Plan, shard: int, rows: Iterable[OriginalRow], part: Iterable[bytes]
) -> Iterator[SettledAnswer]:
    """Each answered row of the part with the very bytes that stand in the result, in the order of the rows.

    Args:
        plan: The job that made the part.
        shard: Its number; the first part begins with the header.
        rows: All rows of the shard.
        part: The part in chunks.

    Raises:
        PartUnreadable: See there.
    """
    reader = _PartReader(plan)
    records = reader.records(part)
    if shard == 1 and reader.header:
        next(records, None)
    for row in rows:
        record = next(records, None)
        if record is None:
            raise PartUnreadable(f"the part of shard {shard} has fewer records than rows")
        settled = reader.settled(row, record)
        if settled.status == _ANSWERED and row.is_sent:
            yield settled
    if next(records, None) is not None:
        raise PartUnreadable(f"the part of shard {shard} has more records than rows")


class _PartReader:
    def __init__(self, plan: Plan) -> None:
        self._rendering = rendering_for(plan)
        self._is_csv = plan.part_format == "csv"
        self._encoding = plan.output_encoding
        self._columns = ResultColumns(plan.kind, plan.result_columns)
        self.header = self._rendering.header()

    def records(self, part: Iterable[bytes]) -> Iterator[bytes]:
        """Whole lines in UTF-8, with their ends."""
        if not self._is_csv:
            return (line + b"\n" for line in byte_lines(part))
        # No byte of a longer GB18030 character is a quote or a line end, so records are cut before they are decoded.
        records = csv_records(part)
        if self._encoding.startswith("utf-8"):
            return records
        return (record.decode(self._encoding).encode() for record in records)

    def settled(self, row: OriginalRow, record: bytes) -> SettledAnswer:
        own = self._rendering.row(row.cells, b"")
        if not record.startswith(own):
            raise PartUnreadable(f"the record of row {row.custom_id!r} does not begin with its cells")
        rendered = record[len(own) :]
        values = dict(zip(self._columns.names, self._values(rendered), strict=False))
        status = str(values["status"]) if self._columns.is_table else _status_of_request(values)
        unread = str(values["error_code"]) if status == _ANSWERED else ""
        return SettledAnswer(row.custom_id, status, unread, rendered)

    def _values(self, rendered: bytes) -> list[object]:
        try:
            if self._is_csv:
                text = rendered.decode()
                # csv's own bound is 128 KiB a cell, and global.
                csv.field_size_limit(max(csv.field_size_limit(), len(text)))
                return list(next(csv.reader(io.StringIO(text, newline=""), strict=True)))
            return list(orjson.loads(b"{" + rendered).values())
        except (ValueError, csv.Error, StopIteration) as error:
            raise PartUnreadable(f"a record cannot be read: {error}") from error


def _status_of_request(values: Mapping[str, object]) -> str:
    """Bailian's columns have no status; a refusal has a code, whatever its HTTP status was."""
    is_answered = str(values["status_code"]) == str(_OK) and not values["error_code"]
    return _ANSWERED if is_answered else RowStatus.REFUSED.value


def csv_records(chunks: Iterable[bytes]) -> Iterator[bytes]:
    r"""Cut CSV that we wrote into records, each with its ``\r\n``: one ends where all quotes are closed.

    Raises:
        PartUnreadable: The last one does not end.
    """
    pieces: list[bytes] = []
    quotes = 0
    for line in numbered_lines(chunks):
        piece = line.content or b""
        pieces.append(piece)
        quotes += piece.count(b'"')
        if piece[-1:] == b"\n" and quotes % 2 == 0:
            yield b"".join(pieces)
            pieces.clear()
            quotes = 0
    if pieces:
        raise PartUnreadable("the part ends in the middle of a record")


def original_line(custom_id: str, cells: JsonCells) -> bytes:
    """The line of a row that is sent, as ``OriginalRow.to_line`` makes it, of cells that are escaped already."""
    return b"".join((b'["', escape(custom_id), b'",["', b'","'.join(cells.escaped), b'"],"",""]\n'))


class OriginalRow(NamedTuple):
    """One input row: its id, its own columns and, if it was never sent, why."""

    custom_id: str
    cells: Sequence[str]
    error_code: str = ""
    error_message: str = ""

    @property
    def is_sent(self) -> bool:
        return not self.error_code

    def own_answer(self) -> Answer:
        """What stands in the result for a row that was never sent."""
        return Answer(
            self.custom_id, RowStatus.REFUSED, error_code=self.error_code, error_message=self.error_message
        )

    def to_line(self) -> bytes:
        fields = [self.custom_id, self.cells, self.error_code, self.error_message]
        return orjson.dumps(fields) + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> OriginalRow:
        return cls(*orjson.loads(line))
