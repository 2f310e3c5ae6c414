"""The JSON Schema of a recipe: whether it can be used, and whether an answer fits it.

A schema comes from outside and runs on every answer, so it must not fetch, hang or loop. References
stay inside it and never lead back to themselves, what they unfold to is bounded, and patterns run
in linear time.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import unquote

from pydantic import JsonValue

from shared.problems.problem import Problem

if TYPE_CHECKING:
    from jsonschema_rs import Draft202012Validator, ValidationError

Path = tuple[str | int, ...]

MAX_NODES = 10_000
_MAX_NESTED_REFERENCES = 10
_SHOWN_CHARS = 80
# These choose their target while an answer is checked, or change what "#" means.
_MOVING = ("$dynamicRef", "$recursiveRef", "$id", "$anchor", "$dynamicAnchor")


class SchemaRefused(Exception):
    """The schema cannot be used.

    Attributes:
        path: Where in the schema.
    """

    def __init__(self, problem: Problem, path: Path = ()) -> None:
        super().__init__(problem.code)
        self.problem = problem
        self.path = path


class SchemaCheck:
    """A compiled schema of draft 2020-12; ``format`` only annotates, as that draft says."""

    def __init__(self, schema: Mapping[str, JsonValue]) -> None:
        """Compile the schema.

        Raises:
            SchemaRefused: It is not valid, or could fetch, hang or loop.
        """
        _References(schema).unfold()
        self._validator = _compiled(schema)

    def misfit(self, value: object) -> str | None:
        """Where and why the value does not fit, in the library's English; ``None`` if it does."""
        if self._validator.is_valid(value):
            return None
        first, *more = self._validator.iter_errors(value)
        same_place = [error for error in more if error.instance_path == first.instance_path]
        where = ".".join(map(str, first.instance_path))
        reason = next(filter(None, map(_not_allowed, [first, *same_place])), first.message)
        return f"{where}: {reason}" if where else reason


def _not_allowed(error: ValidationError) -> str | None:
    """What was found and all that is allowed: of many values the library names only two."""
    allowed = getattr(error.kind, "options", None)
    if not isinstance(allowed, list):
        return None
    found, *listed = (
        json.dumps(each, ensure_ascii=False)[:_SHOWN_CHARS] for each in (error.instance, *allowed)
    )
    return f"{found} is not one of {', '.join(listed)}"


def _compiled(schema: Mapping[str, JsonValue]) -> Draft202012Validator:
    # Only jobs with a schema pay for loading it (20 ms, 12 MB).
    import jsonschema_rs  # noqa: PLC0415

    try:
        return jsonschema_rs.Draft202012Validator(
            dict(schema), pattern_options=jsonschema_rs.RegexOptions(), offline=True
        )
    except jsonschema_rs.ValidationError as error:
        problem = Problem("recipe_schema", values={"reason": error.message})
        raise SchemaRefused(problem, tuple(error.instance_path)) from error
    except jsonschema_rs.ReferencingError as error:
        raise SchemaRefused(Problem("recipe_schema", values={"reason": str(error)})) from error


class _References:
    """Walks a schema through each reference, as the check of an answer does."""

    def __init__(self, schema: Mapping[str, JsonValue]) -> None:
        self._root = schema
        self._nodes = 0
        self._open: list[str] = []

    def unfold(self) -> None:
        self._walk(self._root, ())

    def _walk(self, node: object, path: Path) -> None:
        self._nodes += 1
        if self._nodes > MAX_NODES or len(self._open) > _MAX_NESTED_REFERENCES:
            raise SchemaRefused(Problem("recipe_schema_too_large", values={"max_nodes": MAX_NODES}), path)
        if isinstance(node, list):
            for index, item in enumerate(node):
                self._walk(item, (*path, index))
        if not isinstance(node, dict):
            return
        for name, value in node.items():
            if name == "$ref" and isinstance(value, str):
                self._follow(value, path)
            elif name in _MOVING and isinstance(value, str) and (name, path) != ("$id", ()):
                raise _reference_refused(name, (*path, name))
            else:
                self._walk(value, (*path, name))

    def _follow(self, reference: str, path: Path) -> None:
        target = _target(self._root, reference)
        if target is None or reference in self._open:
            raise _reference_refused(reference, path)
        self._open.append(reference)
        self._walk(target, path)
        self._open.pop()


def _target(root: Mapping[str, JsonValue], reference: str) -> object | None:
    """What a JSON pointer within the schema leads to."""
    if not reference.startswith("#/"):
        return None
    node: object = root
    for part in unquote(reference[2:]).split("/"):
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(node, list) and key.isdecimal() and int(key) < len(node):
            node = node[int(key)]
        elif isinstance(node, dict):
            node = node.get(key)
        else:
            return None
    return node


def _reference_refused(reference: str, path: Path) -> SchemaRefused:
    return SchemaRefused(Problem("recipe_schema_reference", found=reference), path)
