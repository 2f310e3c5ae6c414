"""Takes JSON answers apart into the columns that a recipe asks for.

The recipe's ``columns`` are names with paths, or a JSON Schema whose properties are the columns.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from pydantic import JsonValue

from shared.formats.json.compact import compact_json
from shared.problems.problem import Problem
from shared.recipes.columns.paths import MISSING, Steps, parse_path, value_at
from shared.recipes.columns.schema import SchemaCheck, SchemaRefused

_LISTED = 20


class ColumnValues(NamedTuple):
    """One answer's values in column order, ``None`` where there is none.

    ``problem`` says why there is none, or what was done to find them.
    """

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
        self._bare = _values_of_only_column(columns)
        is_by_name = is_schema(columns)
        self._paths: list[tuple[str, Steps]] = []
        for name in self.names:
            steps = (name,) if is_by_name else parse_path(str(columns[name]))
            self._paths.append((name, steps or (name,)))
        self._wants_list = any(isinstance(steps[0], int) for _, steps in self._paths)

    @staticmethod
    def names_of(columns: Mapping[str, JsonValue]) -> tuple[str, ...]:
        properties = columns.get("properties")
        return tuple(properties if isinstance(properties, dict) else columns)

    @staticmethod
    def types_of(columns: Mapping[str, JsonValue]) -> tuple[str, ...]:
        """The JSON type of each column that a schema gives exactly one beside null; else ``""``."""
        properties = columns.get("properties")
        return tuple(map(_type_of, properties.values())) if isinstance(properties, dict) else ()

    def read(self, content: str) -> ColumnValues:
        """Take one answer apart; raise nothing, whatever it holds."""
        from shared.recipes.columns.answer_json import find_json  # noqa: PLC0415 - few jobs have columns

        try:
            document, oddity = find_json(content, wants_list=self._wants_list)
        except ValueError as error:
            values = {"reason": str(error)}
            none = ColumnValues([None] * len(self.names), Problem("answer_not_json", values=values))
            return self._bare_value(content) or none
        if not isinstance(document, dict | list) and (bare := self._bare_value(content)):
            return bare
        found = [value_at(document, steps) for _, steps in self._paths]
        reason = self._check.misfit(document) if self._check else self._missing(found)
        problem = Problem(oddity) if oddity else None
        if reason:
            problem = Problem("answer_does_not_fit", values={"reason": reason})
        return ColumnValues([None if value is MISSING else value for value in found], problem)  # type: ignore[misc]

    def _bare_value(self, content: str) -> ColumnValues | None:
        """The value of the only column, where the answer is nothing else."""
        text = content.strip()
        bare = next((each for each in (text, text.strip(_AROUND_A_VALUE)) if each in self._bare), None)
        return ColumnValues([bare], Problem("answer_was_bare")) if bare else None

    def _missing(self, found: Sequence[object]) -> str | None:
        names = [name for (name, _), value in zip(self._paths, found, strict=True) if value is MISSING]
        if not names:
            return None
        more = f" … (+{len(names) - _LISTED})" if len(names) > _LISTED else ""
        return f"nothing at {', '.join(names[:_LISTED])}{more}"


def _type_of(schema: JsonValue) -> str:
    named = schema.get("type") if isinstance(schema, dict) else None
    types = [each for each in (named if isinstance(named, list) else [named]) if each != "null"]
    return str(types[0]) if len(types) == 1 and types[0] else ""


def _values_of_only_column(columns: Mapping[str, JsonValue]) -> Collection[str]:
    """The texts that a schema of one column allows, such as labels."""
    properties = columns.get("properties")
    if not isinstance(properties, dict) or len(properties) != 1:
        return ()
    (only,) = properties.values()
    allowed = only.get("enum") if isinstance(only, dict) else None
    return {each for each in allowed if isinstance(each, str)} if isinstance(allowed, list) else ()


_AROUND_A_VALUE = " \t\r\n\u3000\ufeff\u200b\"'`*“”‘’「」『』。.!！"


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
