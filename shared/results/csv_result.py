"""A result as CSV: a header, and one record a row."""

from __future__ import annotations

import csv
import io
from codecs import escape_decode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pydantic import JsonValue

from shared.formats.csv.cells import LINE_END, MAY_BE_GUARDED, csv_cell, guard_formula
from shared.formats.json.cells import has_other_escapes
from shared.formats.lines import numbered_lines
from shared.recipes.columns.answers import cell_text
from shared.results.columns import Answer, ResultColumns, fit, free_names
from shared.results.kept_rows import PartUnreadable


class ResultTable:
    """Renders rows in the columns and the encoding of the plan.

    Lines end in CRLF and cells are quoted as RFC 4180 says. Parts are joined byte by byte, so only
    the header has a byte order mark, if the encoding has one.
    """

    def __init__(
        self,
        result: ResultColumns,
        columns: Sequence[str],
        encoding: str,
        *,
        guard: bool,
        answer_names: Sequence[str] = (),
    ) -> None:
        self._values = result.values
        self._columns = tuple(columns) if result.is_table else ()
        self._encoding = encoding
        self._guarded = MAY_BE_GUARDED if guard else frozenset()
        self._answers = len(answer_names)
        # Two lists, so that `answer`, which runs for every row, need not ask what each cell is.
        self._numbers_at = sorted(result.numbers())
        self._texts_at = sorted({*range(len(result.names))} - result.numbers())
        self._at = {name: index for index, name in enumerate(result.names)}
        self._names = result.names
        if result.is_table:
            self._names = (*self._columns, *free_names(self._columns, (*result.names, *answer_names)))

    def header(self) -> bytes:
        return (",".join(map(self._cell, self._names)) + LINE_END).encode(self._encoding)

    def answer(self, answer: Answer, values: Sequence[JsonValue] = ()) -> bytes:
        cells: list[Any] = [*self._values(answer)]
        for index in self._numbers_at:
            cells[index] = "" if (number := cells[index]) is None else str(number)
        for index in self._texts_at:
            if text := cells[index]:
                # As ``_cell`` has it: one call less for each text of a result.
                cells[index] = csv_cell(guard_formula(text) if text[0] in self._guarded else text)
        if self._answers:
            cells += map(self._cell, map(cell_text, values)) if values else [""] * self._answers
        cells[-1] += LINE_END  # before they are joined: an answer may be long, and is copied once less
        return ",".join(cells).encode()

    def text(self, text: bytes) -> bytes | None:
        if b"\\" not in text:
            return text if b"," in text else text[1:-1]
        if has_other_escapes(text):
            return None
        cell = escape_decode(text)[0][1:-1]
        if b'"' in cell:
            return b'"%b"' % cell.replace(b'"', b'""')
        return b'"%b"' % cell if b"," in cell or b"\n" in cell or b"\r" in cell else cell

    def _cell(self, text: str) -> str:
        return csv_cell(guard_formula(text) if text[:1] in self._guarded else text)

    def row(self, cells: Sequence[str], answer: bytes) -> bytes:
        if not self._columns:
            return answer
        own = cells if len(cells) == len(self._columns) else fit(cells, len(self._columns))
        guarded = self._guarded
        shown = [csv_cell(guard_formula(cell) if cell[:1] in guarded else cell) for cell in own]
        return b"%b,%b" % (",".join(shown).encode(), answer)

    def encode(self, rows: bytes) -> bytes:
        return rows if self._encoding.startswith("utf-8") else rows.decode().encode(self._encoding)

    def read_rows(self, part: Iterable[bytes]) -> Iterator[bytes]:
        # Cut before decoding: no longer character of GB18030 contains a quote or a line end.
        records = csv_records(part)
        if self._encoding.startswith("utf-8"):
            return records
        return (record.decode(self._encoding).encode() for record in records)

    def read_answer(self, rendered: bytes) -> list[object]:
        text = rendered.decode()
        # csv's own bound is 128 KiB a cell, and global.
        csv.field_size_limit(max(csv.field_size_limit(), len(text)))
        try:
            return list(next(csv.reader(io.StringIO(text, newline=""), strict=True)))
        except (csv.Error, StopIteration) as error:
            raise ValueError(*error.args) from error

    def amended(self, rendered: bytes, values: Mapping[str, str | int]) -> bytes:
        cells = [*map(str, self.read_answer(rendered))]  # guarded already
        for name in values.keys() & self._at.keys():
            cells[self._at[name]] = str(values[name])
        return (",".join(map(csv_cell, cells)) + LINE_END).encode()


def csv_records(chunks: Iterable[bytes]) -> Iterator[bytes]:
    r"""Cut our own CSV into records, each with its ``\r\n``: one ends where all quotes are closed.

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
