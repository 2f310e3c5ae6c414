"""Takes JSON answers apart into the columns that a recipe asks for.

The recipe's ``columns`` are names with paths, or a JSON Schema whose properties are the columns.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pydantic import JsonValue

from shared.formats.json.compact import compact_json
from shared.formats.json.policies import parse_exact
from shared.formats.json.surrogates import without_surrogates
from shared.problems.problem import Problem
from shared.recipes.columns.paths import MISSING, Steps, parse_path, value_at
from shared.recipes.columns.schema import SchemaCheck, SchemaRefused

_FENCE = "```"
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
_LISTED = 20


class ColumnValues(NamedTuple):
    """One answer's values in column order, ``None`` where there is none; ``problem`` says why."""

    values: Sequence[JsonValue]
    problem: Problem | None = None


def is_schema(columns: Mapping[str, JsonValue]) -> bool:
    """Whether ``columns`` is a JSON Schema; a path is a text, so paths never look like one."""
    return isinstance(columns.get("properties"), dict)


class AnswerColumns:
    """Reads answers for one job; compiled once, since that takes longer than reading one."""

    def __init__(self, columns: Mapping[str, JsonValue]) -> None:
        self.names = self.names_of(columns)
        self._check = _check_for(columns)
        is_by_name = is_schema(columns)
        self._paths: list[tuple[str, Steps]] = []
        for name in self.names:
            steps = (name,) if is_by_name else parse_path(str(columns[name]))
            self._paths.append((name, steps or (name,)))

    @staticmethod
    def names_of(columns: Mapping[str, JsonValue]) -> tuple[str, ...]:
        properties = columns.get("properties")
        return tuple(properties if isinstance(properties, dict) else columns)

    def read(self, content: str) -> ColumnValues:
        """Take one answer apart; raise nothing, whatever it holds."""
        try:
            document = _parse(content)
        except ValueError as error:
            values = {"reason": str(error)}
            return ColumnValues([None] * len(self.names), Problem("answer_not_json", values=values))
        found = [value_at(document, steps) for _, steps in self._paths]
        reason = self._check.misfit(document) if self._check else self._missing(found)
        problem = Problem("answer_does_not_fit", values={"reason": reason}) if reason else None
        return ColumnValues([None if value is MISSING else value for value in found], problem)  # type: ignore[misc]

    def _missing(self, found: Sequence[object]) -> str | None:
        names = [name for (name, _), value in zip(self._paths, found, strict=True) if value is MISSING]
        if not names:
            return None
        more = f" … (+{len(names) - _LISTED})" if len(names) > _LISTED else ""
        return f"nothing at {', '.join(names[:_LISTED])}{more}"


def _check_for(columns: Mapping[str, JsonValue]) -> SchemaCheck | None:
    if not is_schema(columns):
        return None
    try:
        return SchemaCheck(columns)
    except SchemaRefused:
        # It was valid when the file was planned; a newer version must not hold up paid answers.
        return None


def cell_text(value: JsonValue) -> str:
    """A value as a CSV cell: text as it is, nothing for null, anything else as compact JSON."""
    if isinstance(value, str):
        return value
    return "" if value is None else compact_json(value)


def _parse(content: str) -> JsonValue:
    """The JSON document that an answer is, alone or in one Markdown fence.

    Raises:
        ValueError: See ``parse_exact``.
    """
    text = _unfenced(content.strip())
    document = parse_exact(text)
    if _SURROGATE_ESCAPE.search(text):
        # Half a pair cannot be written; as in ``content``, it becomes U+FFFD.
        document = json.loads(without_surrogates(json.dumps(document, ensure_ascii=False)))
    return document


def _unfenced(text: str) -> str:
    if not (text.startswith(_FENCE) and text.endswith(_FENCE) and len(text) >= 2 * len(_FENCE)):
        return text
    inner = text[len(_FENCE) : -len(_FENCE)]
    return (inner[4:] if inner[:4].lower() == "json" else inner).strip()
