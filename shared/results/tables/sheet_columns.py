"""What the columns of a job's result become in a workbook: texts, numbers, dates, truth values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from typing import Any

from shared.bucket.records.plan import Plan
from shared.formats.tables.cell_texts import time_text
from shared.formats.tables.typed_cells import SheetValue, sheet_value
from shared.recipes.columns.answers import cell_text
from shared.results.tables.part_values import Places

# A spreadsheet drops the digits of a number that follow these.
_MAX_DIGITS = 15
_MAX_INTEGER = 10**_MAX_DIGITS - 1

ToSheet = Callable[[Any], SheetValue]


def sheet_columns(plan: Plan, places: Places) -> dict[int, ToSheet]:
    """By its place, each column that is not one of texts.

    Cells of a workbook, and of columns with types, are what they were. A whole number with more
    digits than a spreadsheet keeps is a text.
    """
    columns: dict[int, ToSheet] = dict.fromkeys(places.numbers, _number)
    if plan.column_types:
        kinds = enumerate(plan.column_types[: places.own])
        columns |= {place: made for place, name in kinds if (made := _own_column(name))}
    elif plan.format == "xlsx":
        columns |= dict.fromkeys(range(places.own), sheet_value)
    return columns | {place: _ANSWERS[kind] for place, kind in places.answers.items() if kind in _ANSWERS}


def _number(value: object) -> SheetValue:
    """A count, or a number of an answer; anything else as JSON has it."""
    return cell_text(value) if type(value) not in (int, float) or is_beyond(value) else value  # type: ignore[arg-type, return-value]  # JSON


def is_beyond(value: object) -> bool:
    """Whether a spreadsheet would drop digits of the number, or has none like it."""
    return isinstance(value, int | float) and not abs(value) <= _MAX_INTEGER


def _truth(value: object) -> SheetValue:
    return value if isinstance(value, bool) else cell_text(value)  # type: ignore[arg-type]  # JSON


def _own_column(name: str) -> ToSheet | None:
    """By Arrow's name of its type; its cells are texts."""
    made = next((made for beginning, made in _OWN.items() if name.startswith(beginning)), None)
    if made is None or "tz=" in name:  # a spreadsheet's times have no zone
        return None
    return lambda text: _read(made, text) if text else text


def _read(made: Callable[[str], SheetValue], text: str) -> SheetValue:
    try:
        return made(text)
    except ValueError:
        return text


def _float(text: str) -> float:
    value = float(text)
    if value - value != 0:
        raise ValueError(text)  # no number, or infinite
    return value


def _exact(text: str) -> float:
    if sum(map(str.isdigit, text)) > _MAX_DIGITS:
        raise ValueError(text)
    return _float(text)


def _whole(read: Callable[[str], date | time]) -> Callable[[str], SheetValue]:
    """Reads a time that has no finer parts than a spreadsheet's milliseconds."""

    def made(text: str) -> SheetValue:
        value = read(text)
        if time_text(str(value)) != text or getattr(value, "microsecond", 0) % 1000:
            raise ValueError(text)
        return value

    return made


_ANSWERS: Mapping[str, ToSheet] = {"integer": _number, "number": _number, "boolean": _truth}
_OWN: Mapping[str, Callable[[str], SheetValue]] = {
    "int": _exact,
    "uint": _exact,
    "decimal": _exact,
    "float": _float,
    "double": _float,
    "halffloat": _float,
    "bool": lambda text: text == "TRUE",
    "date": _whole(date.fromisoformat),
    "timestamp": _whole(datetime.fromisoformat),
    "time": _whole(time.fromisoformat),
}
