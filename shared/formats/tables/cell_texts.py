"""Typed cells of spreadsheets and Parquet files as text: the value, without its format."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

_LONG = 1e15
_PLAIN_BELOW = 1e21  # as in JavaScript: beyond, digits written out would only look exact


def cell_text(value: object) -> str:
    """The text of one value; ``""`` for none.

    Whole numbers have no decimal point, others their shortest exact digits. Dates and times are
    ISO 8601 with a space between the two, as spreadsheets recognise them: ``2026-01-31``,
    ``2026-01-31 08:05:00``. Booleans are ``TRUE`` or ``FALSE``, a span is ``26:30:00``, lists and
    structures are JSON.
    """
    render = _RENDERERS.get(type(value), str)
    return render(value)


def number_text(text: str) -> str:
    """A float as a person writes it: ``1.0`` is ``1``, ``1.38e+10`` is ``13800000000``."""
    if "e+" in text and abs(float(text)) < _PLAIN_BELOW:
        text = format(Decimal(text), "f")
    text = text.removesuffix(".0")
    return "0" if text == "-0" else text


def time_text(text: str) -> str:
    """A time, with or without a date, without trailing zeros in its fraction."""
    whole, dot, fraction = text.partition(".")
    kept = fraction.rstrip("0")
    return f"{whole}{dot}{kept}" if kept else whole


def _bytes_text(value: bytes) -> str:
    """Old writers store text as bytes; other bytes become hexadecimal digits."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.hex()


def _span_text(span: timedelta) -> str:
    sign, span = ("-", -span) if span < timedelta() else ("", span)
    seconds = span.days * 86_400 + span.seconds
    text = f"{sign}{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return time_text(f"{text}.{span.microseconds:06}")


def _json_text(value: object) -> str:
    return json.dumps(_without_nan(value), ensure_ascii=False, default=cell_text)


def _without_nan(value: object) -> object:
    """JSON has no NaN; ``null`` is what stands for a missing number there."""
    if isinstance(value, float):
        return None if math.isnan(value) else value
    if isinstance(value, list):
        return [_without_nan(each) for each in value]
    if isinstance(value, dict):
        return {key: _without_nan(each) for key, each in value.items()}
    return value


_RENDERERS: dict[type, Callable[[Any], str]] = {
    str: str,
    type(None): lambda _: "",
    bool: lambda value: "TRUE" if value else "FALSE",
    float: lambda value: number_text(repr(value)),
    datetime: lambda value: str(value.isoformat(" ")),
    date: date.isoformat,
    time: time.isoformat,
    timedelta: _span_text,
    Decimal: lambda value: format(value, "f"),
    bytes: _bytes_text,
    dict: _json_text,
    list: _json_text,
    tuple: _json_text,
}


class SheetTexts:
    """Texts of a sheet's values: fractions have 15 digits, as spreadsheets show them.

    Attributes:
        has_long: A whole number of more than 15 digits has been seen. It keeps the digits that it
            has: to round it would only change an id.
    """

    def __init__(self) -> None:
        self.has_long = False
        self._renderers: dict[type, Callable[[Any], str]] = {**_RENDERERS, float: self._number}

    def texts(self, values: Iterable[object]) -> list[str]:
        renderers = self._renderers
        return [renderers.get(type(value), str)(value) for value in values]

    def _number(self, number: float) -> str:
        if number.is_integer():
            self.has_long = self.has_long or is_long(number)
            return number_text(repr(number))
        return number_text(f"{number:.15g}")


def is_long(value: object) -> bool:
    """Whether this is a whole number of more than 15 digits, all of which are written out."""
    return isinstance(value, float) and value.is_integer() and _LONG <= abs(value) < _PLAIN_BELOW
