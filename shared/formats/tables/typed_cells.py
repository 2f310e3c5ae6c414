"""A row's cells as text that also knows what they were: numbers, dates, truth values, errors.

Where a result keeps types, each cell is kept as JSON: a text, a number or a truth value as itself,
anything else as an object that names it, such as ``{"date": "2026-01-31"}``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from math import isfinite
from typing import Any

from pydantic import JsonValue

from shared.formats.tables.cell_texts import cell_text


class CellError(str):
    """What a formula ended in, such as ``#N/A``."""

    __slots__ = ()


SheetValue = str | int | float | date | time | timedelta | None


class TypedCells(tuple[str, ...]):
    """The texts of a row. ``typed`` makes the rest, since few results keep it."""

    _source: Any
    _typed: Callable[[Any, Sequence[str]], list[JsonValue]]

    @classmethod
    def of(
        cls, texts: Sequence[str], source: Any, typed: Callable[[Any, Sequence[str]], list[JsonValue]]
    ) -> TypedCells:
        """The texts with what they were made of, and what makes JSON of both."""
        cells = cls(texts)
        cells._source, cells._typed = source, typed
        return cells

    def of_width(self, width: int) -> TypedCells:
        """The row cut, or with empty cells behind it."""
        texts = (*self[:width], *[""] * (width - len(self)))
        return self.of(texts, self._source, self._typed)

    def filled(self, cells: Mapping[int, tuple[str, JsonValue]]) -> TypedCells:
        """The row with other cells at some places, each a text and what is kept of it."""
        texts = [cells[place][0] if place in cells else text for place, text in enumerate(self)]

        def typed(row: TypedCells, _texts: Sequence[str]) -> list[JsonValue]:
            return [cells[place][1] if place in cells else kept for place, kept in enumerate(row.typed())]

        return self.of(texts, self, typed)

    def typed(self) -> list[JsonValue]:
        made = self._typed(self._source, self)
        return [*made, *[""] * (len(self) - len(made))]


def typed_sheet_cells(values: Sequence[object], texts: Sequence[str]) -> list[JsonValue]:
    """Cells of a workbook as JSON."""
    return list(map(_typed_sheet_cell, values, texts))


def _typed_sheet_cell(value: object, text: str) -> JsonValue:
    if value == "":
        return {"error": text} if text else ""
    return _TYPED.get(type(value), lambda _: text)(value)


def sheet_value(cell: JsonValue) -> SheetValue:
    """What ``typed_sheet_cells`` made, as a value again."""
    if not isinstance(cell, dict):
        return cell  # type: ignore[return-value]  # lists are not made
    ((kind, value),) = cell.items()
    return _VALUES[kind](value)


def shown_cell(cell: JsonValue) -> str:
    """What was kept of a cell, a workbook's or a Parquet file's, as people read it."""
    return cell_text(sheet_value(cell))


_TYPED: Mapping[type, Callable[[Any], JsonValue]] = {
    str: lambda value: value,
    bool: lambda value: value,
    int: lambda value: value,
    float: lambda value: value if isfinite(value) else str(value),
    datetime: lambda value: {"datetime": value.isoformat(" ")},
    date: lambda value: {"date": value.isoformat()},
    time: lambda value: {"time": value.isoformat()},
    timedelta: lambda value: {"seconds": value.total_seconds()},
}
_VALUES: Mapping[str, Callable[[Any], SheetValue]] = {
    "error": CellError,
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "seconds": lambda seconds: timedelta(seconds=seconds),
}
