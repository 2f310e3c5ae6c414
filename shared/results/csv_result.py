"""The result CSV: its header, and one line per row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import JsonValue

from shared.formats.csv.cells import LINE_END, MAY_BE_GUARDED, csv_cell, guard_formula
from shared.recipes.columns.answers import cell_text
from shared.results.columns import Answer, ResultColumns, fit, free_names


class ResultTable:
    """Renders result rows in the columns and the encoding that the plan asks for.

    Lines end in CRLF and are quoted as RFC 4180 says. A byte order mark, where the encoding has one, belongs to
    the header alone, since parts are joined byte by byte.
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
        self._cell = _guarded_cell if guard else csv_cell
        self._answers = len(answer_names)
        # Apart, so that nothing is asked about each cell: this runs for every row.
        self._numbers_at = sorted(result.numbers())
        self._texts_at = sorted({*range(len(result.names))} - result.numbers())
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
                cells[index] = self._cell(text)
        if self._answers:
            cells += map(self._cell, map(cell_text, values)) if values else [""] * self._answers
        return (",".join(cells) + LINE_END).encode()

    def row(self, cells: Sequence[str], answer: bytes) -> bytes:
        if not self._columns:
            return answer
        own = cells if len(cells) == len(self._columns) else fit(cells, len(self._columns))
        return b"%b,%b" % (",".join(map(self._cell, own)).encode(), answer)

    def encode(self, rows: bytes) -> bytes:
        return rows if self._encoding.startswith("utf-8") else rows.decode().encode(self._encoding)


def _guarded_cell(text: str) -> str:
    return csv_cell(guard_formula(text)) if text[:1] in MAY_BE_GUARDED else csv_cell(text)
