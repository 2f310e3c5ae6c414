"""Anything below ``columns`` gives a recipe, or problems with their lines; never anything else."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.problems.exceptions import UserInputError
from shared.problems.problem import Problem
from shared.providers.bailian.profile import BAILIAN
from shared.recipes.columns.answers import AnswerColumns
from shared.recipes.parse import parse_recipe
from shared.recipes.recipe import Recipe
from tests.support.reading import assert_told

KEYWORDS = st.sampled_from([
    "type", "properties", "items", "required", "enum", "const", "pattern", "patternProperties", "$ref", "$defs", "$id", "$schema",
    "$dynamicRef", "allOf", "anyOf", "not", "if", "then", "minimum", "multipleOf", "uniqueItems", "additionalProperties", "a", "b",
    "unevaluatedProperties", "dependentSchemas", "contains", "prefixItems", "propertyNames", "maxLength", "format",
])  # fmt: skip
WORDS = st.sampled_from([
    "string", "object", "integer", "#", "#/$defs/a", "#/properties/a", "#/properties/b/items", "http://127.0.0.1:9/x", "(a+)+$", "(?=a)", "(",
    "a.b", "a[0]", "$.a", "", "date",
])  # fmt: skip
SCHEMAS = st.recursive(
    WORDS | st.integers(-3, 3) | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYWORDS, inner, max_size=4),
    max_leaves=15,
)
NAMES = st.sampled_from(["a", "b"])
# Mostly right, so that many are used on an answer as well.
PROPERTIES = st.recursive(
    st.fixed_dictionaries({}, optional={
        "type": st.sampled_from(["string", "object", "integer", "array", "null"]),
        "enum": st.lists(SCHEMAS, min_size=1, max_size=2),
        "pattern": st.sampled_from(["(a+)+$", "^a", "[0-9]"]),
        "minimum": st.integers(-3, 3),
        "$ref": st.sampled_from(["#/properties/a", "#/properties/b", "#/properties/b/items"]),
    }),
    lambda inner: st.fixed_dictionaries({}, optional={
        "properties": st.dictionaries(NAMES, inner, max_size=2),
        "items": inner,
        "anyOf": st.lists(inner, min_size=1, max_size=2),
        "required": st.lists(NAMES, unique=True),
        "additionalProperties": st.booleans() | inner,
    }),
    max_leaves=8,
)  # fmt: skip


def parsed(content: bytes) -> tuple[Recipe | None, tuple[Problem, ...]]:
    try:
        return parse_recipe(content, BAILIAN), ()
    except UserInputError as error:
        return None, tuple(error.problems)


@settings(max_examples=100)
@given(
    SCHEMAS | st.dictionaries(NAMES, PROPERTIES, min_size=1),
    st.just({}) | st.dictionaries(KEYWORDS, SCHEMAS, max_size=4),
    st.booleans(),
    SCHEMAS | st.dictionaries(NAMES, SCHEMAS),
)
def test_any_columns_are_a_recipe_that_works_or_told_problems(
    properties: Any, more: dict[str, Any], is_schema: bool, answer: Any
) -> None:
    columns = {**more, "properties": properties} if is_schema else more
    content = f"model: qwen-flash\nprompt: JSON\ncolumns: {json.dumps(columns)}\n".encode()

    recipe, problems = parsed(content)

    assert_told(problems)
    assert all(problem.line == 3 for problem in problems)
    reader = AnswerColumns(recipe.columns if recipe else {})
    values, problem = reader.read(json.dumps(answer))
    assert len(values) == len(reader.names)
    assert problem is None or problem.code == "answer_does_not_fit"
