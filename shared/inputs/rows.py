"""One input row as every input format yields it, and what is known of its file after reading."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import repeat
from operator import add
from typing import Any, NamedTuple

from shared.formats.json.cells import JsonCells
from shared.formats.record import Records, TableNotes
from shared.inputs.inbox_keys import FileForm, InputKind
from shared.inputs.requests.line_shapes import LineShape
from shared.problems.problem import Problem


class InputRow(NamedTuple):
    r"""One row of the dropped file, in input order.

    Attributes:
        line: The line of the file on which the row starts, from 1.
        custom_id: The id of its request; a bad row may have ``""``.
        cells: The original columns; empty for request JSONL. A ragged row has its own number of
            cells; a row with wrong quotes has its raw text as its only cell.
        request: The encoded request line with its ``\n``, or ``None`` if the row is bad.
        problems: Why it is bad; empty for a good row.
        is_left_out: The recipe wants such rows not to be sent, so it is no reason to refuse the
            file.
        digest: Another row with the same one asks the same; ``b""`` if the row has an id of its own
            in the file, and is sent whatever it asks.
        shape: Request lines of the same one say the same but for an id and a text of a message or
            to embed; ``None`` if that is not known.
        said: What the request line says of ``PARAMETERS``, if it has no known shape and is known to
            hold nothing but texts beside.
    """

    line: int
    custom_id: str
    cells: Sequence[str]
    request: bytes | None
    problems: tuple[Problem, ...] = ()
    is_left_out: bool = False
    digest: bytes = b""
    shape: LineShape | None = None
    said: Mapping[str, Any] | None = None


class RowBlock(NamedTuple):
    r"""Consecutive good rows of a table.

    Attributes:
        lines: The first line of each.
        custom_ids: Of each, as the inside of JSON strings.
        cells: Of each, the same.
        requests: Their encoded request lines, each with its ``\n``, in one.
        digests: Of each, as of an ``InputRow``.
        prompts: Of each, as they stand in the request lines, which else differ in their ids alone.
    """

    lines: Sequence[int]
    custom_ids: Sequence[bytes]
    cells: Sequence[Sequence[bytes]]
    requests: bytes
    digests: Sequence[bytes]
    prompts: Sequence[bytes]

    def request_sizes(self) -> Sequence[int]:
        """Of each request line, in bytes, without its line end: no line is cut out for it."""
        own = [*map(add, map(len, self.custom_ids), map(len, self.prompts))]
        alike = (len(self.requests) - sum(own)) // len(own) - 1
        return [alike + each for each in own]

    def rows(self) -> Iterator[InputRow]:
        ids = map(bytes.decode, self.custom_ids)
        requests = BytesIO(self.requests)  # cuts behind each line feed
        cells = map(JsonCells, self.cells)
        return map(InputRow, self.lines, ids, cells, requests, repeat(()), repeat(False), self.digests)


def each_row(rows: Iterable[InputRow | RowBlock]) -> Iterator[InputRow]:
    """All rows, each by itself."""
    for item in rows:
        if isinstance(item, RowBlock):
            yield from item.rows()
        else:
            yield item


@dataclass(frozen=True)
class InputFacts:
    """What was detected in a file that has been read to its end.

    Attributes:
        kind: Which of the input formats it is.
        form: How it is written down.
        sheet: Which one of a workbook was read; ``None`` for other formats.
        encoding: ``utf-8``, ``gb18030`` or whatever else a mark or the recipe says.
        delimiter: Between CSV columns; ``None`` for other formats.
        columns: The header of a table; empty for request JSONL.
        column_types: Arrow's names of their types, if the file has them.
        model: The one model of the file, ``""`` if no row named one.
        endpoint: The one URL of the file, ``""`` if no row named one.
        thinking: The one thinking mode of the file; ``None`` leaves it to the model.
        rows: All rows, bad ones included, but no blank lines and no empty rows at the end.
        bad_rows: How many of them are bad.
        warnings: What may surprise but stops nothing, at most a hundred.
    """

    kind: InputKind
    form: FileForm
    sheet: str | None
    encoding: str
    delimiter: str | None
    columns: tuple[str, ...]
    column_types: tuple[str, ...]
    model: str
    endpoint: str
    thinking: bool | None
    rows: int
    bad_rows: int
    warnings: tuple[Problem, ...]


@dataclass
class Observations(TableNotes):
    """What a row source learns as it reads a file; ``InputFacts`` in the making."""

    columns: tuple[str, ...] = ()
    model: str = ""
    endpoint: str = ""
    thinking: bool | None = None


OpenRecords = Callable[[Observations], Records]
"""Reads a table from its start, and notes what it learns."""
