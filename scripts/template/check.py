"""Check a ROS template offline: the resource types' own rules, and that every reference exists."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from scripts.template.parameters import TemplateError
from scripts.template.ros import Template, intrinsic, read_template

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = ROOT / "tests" / "payloads" / "ros-schema.json"

Spec: TypeAlias = Mapping[str, Any]

_SECTIONS = frozenset(
    {
        "ROSTemplateFormatVersion",
        "Description",
        "Metadata",
        "Parameters",
        "Mappings",
        "Conditions",
        "Rules",
        "Resources",
        "Outputs",
    }
)
_RESOURCE_KEYS = frozenset({"Type", "Properties", "DependsOn", "Condition", "DeletionPolicy", "Metadata"})
_SECRET_NAME = re.compile(r"(?i)(key|secret|token|password)$")


def check(template: Mapping[str, Any], schema: Spec) -> list[str]:
    """All problems of a parsed template, each led by its place; empty if it is fine.

    Args:
        template: The parsed YAML.
        schema: As in tests/payloads/ros-schema.json: properties and attributes by resource type.
    """
    types: Spec = schema["resources"]
    problems = [f"{name}: unknown section" for name in template if name not in _SECTIONS]
    if template.get("ROSTemplateFormatVersion") != "2015-09-01":
        problems.append("ROSTemplateFormatVersion: must be the string '2015-09-01'")
    for logical_id, resource in template.get("Resources", {}).items():
        problems += _resource_problems(logical_id, resource, types)
    problems += _secret_problems(template.get("Parameters", {}))
    return problems + list(_name_problems(template, types))


def _resource_problems(logical_id: str, resource: Mapping[str, Any], types: Spec) -> Iterator[str]:
    yield from (f"{logical_id}: unknown key {key}" for key in resource if key not in _RESOURCE_KEYS)
    kind = resource.get("Type", "")
    if kind not in types:
        yield f"{logical_id}: unknown type {kind}"
        return
    yield from _map_problems(types[kind], resource.get("Properties", {}), logical_id)


def _secret_problems(parameters: Mapping[str, Any]) -> Iterator[str]:
    for name, spec in parameters.items():
        if _SECRET_NAME.search(name) and spec.get("NoEcho") is not True:
            yield f"{name}: looks like a secret, so it must have NoEcho: true"
        if spec.get("NoEcho") and spec.get("Default"):  # an empty one only says that there need be none
            yield f"{name}: a secret must not have a Default"


def _value_problems(spec: Spec, value: object, where: str) -> Iterator[str]:
    if intrinsic(value) is not None:
        return  # only ROS knows what comes of it; what it refers to is checked by name
    checker = _CHECKERS.get(spec["type"])
    if checker is not None:
        yield from checker(spec, value, where)


def _map_problems(spec: Spec, value: object, where: str) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield f"{where}: expected a map, found {value!r}"
        return
    known: Spec | None = spec.get("properties")
    if known is None:
        inner = spec.get("values", {"type": "any"})
        for name, item in value.items():
            yield from _value_problems(inner, item, f"{where}.{name}")
        return
    for name, item in value.items():
        if name in known:
            yield from _value_problems(known[name], item, f"{where}.{name}")
        else:
            yield f"{where}: unknown property {name}"
    for name, inner in known.items():
        if inner.get("required") and name not in value:
            yield f"{where}: required property {name} is missing"


def _list_problems(spec: Spec, value: object, where: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{where}: expected a list, found {value!r}"
        return
    yield from _bound_problems(spec.get("length"), len(value), where, "items")
    for index, item in enumerate(value):
        yield from _value_problems(spec.get("items", {"type": "any"}), item, f"{where}[{index}]")


def _string_problems(spec: Spec, value: object, where: str) -> Iterator[str]:
    if not isinstance(value, str):
        yield f"{where}: expected a string, found {value!r}"
        return
    yield from _allowed_problems(spec, value, where)
    yield from _bound_problems(spec.get("length"), len(value), where, "characters")
    pattern = spec.get("pattern", "//").strip("/")
    if not re.search(pattern, value):
        yield f"{where}: {value!r} does not match {pattern}"


def _number_problems(spec: Spec, value: object, where: str) -> Iterator[str]:
    if isinstance(value, bool) or not isinstance(value, int | float):
        yield f"{where}: expected a number, found {value!r}"
        return
    yield from _allowed_problems(spec, value, where)
    yield from _bound_problems(spec.get("range"), value, where, "")


def _boolean_problems(_spec: Spec, value: object, where: str) -> Iterator[str]:
    if not isinstance(value, bool):
        yield f"{where}: expected true or false, found {value!r}"


def _allowed_problems(spec: Spec, value: object, where: str) -> Iterator[str]:
    if "allowed" in spec and value not in spec["allowed"]:
        yield f"{where}: {value!r} is not one of {', '.join(map(str, spec['allowed']))}"


def _bound_problems(bounds: Spec | None, size: float, where: str, unit: str) -> Iterator[str]:
    if bounds is None:
        return
    lower, upper = bounds.get("min", float("-inf")), bounds.get("max", float("inf"))
    if not lower <= size <= upper:
        yield f"{where}: {size} {unit}".rstrip() + f" is not within {lower} and {upper}"


_CHECKERS: Mapping[str, Callable[[Spec, object, str], Iterator[str]]] = {
    "map": _map_problems,
    "list": _list_problems,
    "string": _string_problems,
    "number": _number_problems,
    "boolean": _boolean_problems,
}


class _Walk(Template):
    """Resolves everything to find what does not exist, not for the values.

    ``holds`` is what every condition is taken for, so that two walks see both branches of each
    ``Fn::If``.
    """

    def __init__(self, template: Spec, types: Spec, *, holds: bool) -> None:
        super().__init__({**template, "Parameters": {}}, {}, {})
        self._values.update(dict.fromkeys(template.get("Parameters", {}), ""))
        self._types = types
        self._holds = holds
        self.used: set[str] = set()
        self.problems: list[str] = []
        for section in ("Conditions", "Rules", "Outputs"):
            self.resolve(template.get(section, {}), section)
        for logical_id, resource in self._resources.items():
            self.resolve(resource.get("Properties", {}), logical_id)
            if "Condition" in resource:
                self._call("Condition", resource["Condition"], logical_id)

    def _call(self, name: str, argument: Any, where: str) -> object:
        try:
            return super()._call(name, argument, where)
        except TemplateError as error:
            if not where:  # within another call, which knows where it stands
                raise
            self.problems.append(str(error))
            return ""

    def condition(self, value: object) -> bool:
        if not isinstance(value, str):
            super().condition(value)
        elif value not in self._conditions:
            raise TemplateError(f"there is no condition {value}")
        else:
            self.used.add(value)
        return self._holds

    def _ref(self, name: str) -> object:
        self.used.add(name)
        return "" if name in self._resources else super()._ref(name)

    def _get_att(self, argument: list[str] | str) -> object:
        logical_id, attribute = argument.split(".", 1) if isinstance(argument, str) else argument
        kind = self._resource(logical_id).get("Type", "")
        if attribute not in self._types.get(kind, {}).get("attributes", [attribute]):
            raise TemplateError(f"{logical_id} has no attribute {attribute}")
        return ""


def _name_problems(template: Spec, types: Spec) -> Iterator[str]:
    """Dangling references and unused declarations."""
    walks = [_Walk(template, types, holds=holds) for holds in (True, False)]
    yield from dict.fromkeys(problem for walk in walks for problem in walk.problems)
    resources: Spec = template.get("Resources", {})
    for logical_id, resource in resources.items():
        depends = resource.get("DependsOn", [])
        for name in [depends] if isinstance(depends, str) else depends:
            if name not in resources:
                yield f"{logical_id}: DependsOn {name}, which does not exist"
    declared = {*template.get("Parameters", {}), *template.get("Conditions", {})}
    used = {name for walk in walks for name in walk.used}
    yield from (f"{name}: declared, but never used" for name in sorted(declared - used))


def main(arguments: list[str]) -> int:
    template = Path(arguments[0]) if arguments else ROOT / "template.yaml"
    problems = check(read_template(template), json.loads(SCHEMA.read_text(encoding="utf-8")))
    print("\n".join(problems) or f"{template.name}: no problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
