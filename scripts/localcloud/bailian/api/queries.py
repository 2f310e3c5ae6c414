"""The query parameters: only both list calls have any."""

from __future__ import annotations

from collections.abc import Mapping

from flask import request

from scripts.localcloud.bailian.api.refusals import ApiError
from scripts.localcloud.bailian.database import Condition, Database
from scripts.localcloud.bailian.times import parse_beijing_time

_EVERY_LIST = ("after", "limit", "create_after", "create_before")
_KNOWN: Mapping[str, frozenset[str]] = {
    "files.list": frozenset({*_EVERY_LIST, "purpose"}),
    "batches.list": frozenset({*_EVERY_LIST, "ds_name", "input_file_ids", "status"}),
}


def check_names() -> None:
    """Refuse what the documents do not name: nobody knows whether the service heeds it."""
    for name in request.args.keys() - _KNOWN.get(request.endpoint or "", frozenset()):
        raise ApiError(400, f"Unknown parameter: '{name}'.", code="unknown_parameter", param=name)


def int_between(name: str, low: int, high: int, *, default: int) -> int:
    text = request.args.get(name, str(default))
    if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
        raise ApiError(400, f"'{name}' must be between {low} and {high}", param=name)
    return int(text)


def after_condition(database: Database, table: str) -> list[Condition]:
    """What comes after the named one in a list whose newest is first."""
    after = request.args.get("after")
    if not after:
        return []
    number = database.number_of(table, after)
    if number is None:
        raise ApiError(400, f"'after' names nothing: {after}", param="after")
    return [Condition("number < ?", (number,))]


def time_conditions(formats: tuple[str, ...]) -> list[Condition]:
    """``create_after`` and ``create_before``, in Beijing time."""
    comparisons = {"create_after": "created_at >= ?", "create_before": "created_at <= ?"}
    conditions = []
    for name, comparison in comparisons.items():
        text = request.args.get(name)
        if text:
            conditions.append(Condition(comparison, (_time(name, text, formats),)))
    return conditions


def words_condition(name: str, column: str, max_words: int) -> list[Condition]:
    """A comma-separated choice of a column's values."""
    words = [word for word in request.args.get(name, "").split(",") if word]
    if not words:
        return []
    if len(words) > max_words:
        raise ApiError(400, f"'{name}' must not name more than {max_words}", param=name)
    return [Condition(f"{column} IN ({', '.join('?' * len(words))})", tuple(words))]


def _time(name: str, text: str, formats: tuple[str, ...]) -> int:
    try:
        return parse_beijing_time(text, formats)
    except ValueError:
        raise ApiError(400, f"'{name}' is not a valid time: {text}", param=name) from None
