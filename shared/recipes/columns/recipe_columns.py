"""What a recipe's ``columns`` mean for its requests, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from pydantic import JsonValue

from shared.ports.profile import EMBEDDINGS
from shared.problems.problem import Problem
from shared.recipes.columns.answers import is_schema
from shared.recipes.columns.paths import parse_path
from shared.recipes.columns.schema import Path, SchemaCheck, SchemaRefused

if TYPE_CHECKING:
    from shared.recipes.recipe import Recipe


Columns = Mapping[str, JsonValue]

FIELD = "columns"


def column_problems(recipe: Recipe) -> Iterator[tuple[Path, Problem]]:
    """Each problem, with the place of its cause in the recipe."""
    columns = recipe.columns
    yield from _until_fits_problems(recipe)
    if columns and recipe.endpoint == EMBEDDINGS:
        yield (FIELD,), Problem("recipe_columns_unused")
    if not is_schema(columns):
        yield from _path_problems(columns)
        return
    try:
        SchemaCheck(columns)
    except SchemaRefused as refused:
        yield (FIELD, *refused.path), refused.problem


def _until_fits_problems(recipe: Recipe) -> Iterator[tuple[Path, Problem]]:
    if recipe.until_fits is None:
        return
    if recipe.endpoint == EMBEDDINGS:
        yield ("until_fits",), Problem("until_fits_of_vectors")
    elif recipe.parameters.get("n") not in (None, 1):
        yield ("until_fits",), Problem("until_fits_of_several")


def _path_problems(columns: Columns) -> Iterator[tuple[Path, Problem]]:
    for name, path in columns.items():
        if not name.strip() or not isinstance(path, str) or parse_path(path) is None or "{{" in path:
            yield (FIELD, name), Problem("recipe_column_path", found=_written(path))


def _written(value: JsonValue) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


def requested_format(recipe: Recipe) -> dict[str, JsonValue]:
    """The parameters that make the model answer by the schema; none where ``columns`` are paths.

    Only some models take ``json_schema`` (https://help.aliyun.com/zh/model-studio/json-mode), so
    the recipe's own ``response_format`` comes first.
    """
    if not is_schema(recipe.columns) or "response_format" in recipe.parameters:
        return {}
    schema = dict(recipe.columns)
    wanted: JsonValue = {"name": "answer", "strict": _is_closed(schema), "schema": schema}
    return {"response_format": {"type": "json_schema", "json_schema": wanted}}


def _is_closed(node: JsonValue) -> bool:
    """Whether every object in the schema names all that it may hold; strict mode requires it."""
    if isinstance(node, list):
        return all(map(_is_closed, node))
    if not isinstance(node, dict):
        return True
    properties = node.get("properties")
    if isinstance(properties, dict):
        required = node.get("required")
        is_complete = isinstance(required, list) and all(name in required for name in properties)
        if node.get("additionalProperties") is not False or not is_complete:
            return False
    return all(map(_is_closed, node.values()))
