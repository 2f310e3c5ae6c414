from __future__ import annotations

import socket
from typing import Any

import pytest

from shared.recipes.columns.schema import MAX_NODES, SchemaCheck, SchemaRefused


def refused(schema: dict[str, Any]) -> tuple[str, tuple[str | int, ...]]:
    with pytest.raises(SchemaRefused) as refusal:
        SchemaCheck(schema)
    return refusal.value.problem.code, refusal.value.path


def nested_references(count: int) -> dict[str, Any]:
    """Each definition means the next one twice: unfolded, two to the power of ``count``."""
    definitions: dict[str, Any] = {
        f"d{number}": {"allOf": [{"$ref": f"#/$defs/d{number + 1}"}] * 2} for number in range(count)
    }
    definitions[f"d{count}"] = {"type": "integer"}
    return {"properties": {"a": {"$ref": "#/$defs/d0"}}, "$defs": definitions}


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        ({"properties": {"a": {"$ref": "http://127.0.0.1:9/x.json"}}}, ("properties", "a")),
        ({"properties": {"a": {"$ref": "file:///etc/passwd"}}}, ("properties", "a")),
        ({"properties": {"a": {"$ref": "other.json#/x"}}}, ("properties", "a")),
        ({"properties": {"a": {"$ref": "#/$defs/none"}}}, ("properties", "a")),
        ({"properties": {"a": {"$ref": "#"}}}, ("properties", "a")),
        ({"properties": {"a": {"$ref": "#/properties/a"}}}, ("properties", "a")),
        ({"$ref": "#/$defs/n", "$defs": {"n": {"items": {"$ref": "#/$defs/n"}}}}, ("items",)),
        ({"properties": {"a": {"$dynamicRef": "http://127.0.0.1:9/x"}}}, ("properties", "a", "$dynamicRef")),
        ({"properties": {"a": {"$id": "http://127.0.0.1:9/", "type": "string"}}}, ("properties", "a", "$id")),
    ],
)
def test_a_reference_stays_inside_the_schema_and_never_loops(
    schema: dict[str, Any], path: tuple[str | int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "socket", None)

    assert refused(schema) == ("recipe_schema_reference", path)


def test_references_within_the_schema_are_followed() -> None:
    address = {"type": "object", "properties": {"city": {"$ref": "#/$defs/a~1b/anyOf/0"}}}
    check = SchemaCheck(
        {
            "$id": "https://example.com/answer",
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "properties": {"home": {"$ref": "#/$defs/address"}, "work": {"$ref": "#/%24defs/address"}, "$ref": {}},
            "$defs": {"address": address, "a/b": {"anyOf": [{"type": "string"}]}},
        }
    )  # fmt: skip

    assert check.misfit({"home": {"city": "x"}, "work": {}}) is None
    assert check.misfit({"work": {"city": 1}}) == 'work.city: 1 is not of type "string"'


@pytest.mark.parametrize(
    "schema",
    [
        nested_references(30),
        {"properties": {"a": {"enum": list(range(MAX_NODES))}}},
        {"$ref": "#/$defs/d0", "$defs": {f"d{n}": {"$ref": f"#/$defs/d{n + 1}"} for n in range(400)}},
    ],
)
def test_a_schema_that_unfolds_to_more_than_can_be_checked_is_refused(schema: dict[str, Any]) -> None:
    assert refused(schema)[0] == "recipe_schema_too_large"


def test_a_schema_of_a_whole_recipe_is_compiled_and_used() -> None:
    names = [f"field_{number}" for number in range(1_000)]
    check = SchemaCheck({"properties": {name: {"type": "string", "maxLength": 20} for name in names}})

    assert check.misfit(dict.fromkeys(names, "x")) is None
    assert check.misfit({**dict.fromkeys(names, "x"), "field_999": 1}) is not None


@pytest.mark.parametrize("pattern", ["^(a+)+$", "^(a|a)*$", "^([a-z]*)*$", "(.*)*x{0,100}!"])
def test_a_pattern_that_would_try_for_ever_elsewhere_ends_here(pattern: str) -> None:
    check = SchemaCheck({"properties": {"a": {"pattern": pattern}}})

    assert check.misfit({"a": "a" * 50_000 + "\n#"}) is not None


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        ({"properties": {"a": {"type": "text"}}}, ("properties", "a", "type")),
        ({"properties": {"a": {"minimum": "1"}}}, ("properties", "a", "minimum")),
        ({"properties": {"a": {"pattern": "(?=a)"}}}, ("properties", "a", "pattern")),
        ({"properties": {"a": {"pattern": "("}}}, ("properties", "a", "pattern")),
        ({"properties": {"a": {"pattern": "((a{0,999}){0,999}){0,999}"}}}, ("properties", "a", "pattern")),
        ({"properties": {}, "required": "a"}, ("required",)),
    ],
)
def test_what_is_no_schema_is_refused_where_it_is_wrong(
    schema: dict[str, Any], path: tuple[str, ...]
) -> None:
    code, found = refused(schema)

    assert code == "recipe_schema"
    assert found[: len(path)] == path
