"""Check a ROS template offline: the resource types' own rules, and that every reference exists."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from scripts.template.ros import NO_VALUE, PSEUDO_PARAMETERS, VARIABLE, intrinsic, read_template

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = ROOT / "tests" / "payloads" / "ros-schema.json"

Spec: TypeAlias = Mapping[str, Any]
# Where it stands, how it refers ("Ref", "Fn::GetAtt", "Condition", "DependsOn"), and to what.
Reference: TypeAlias = tuple[str, str, Any]

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
    return problems + _name_problems(template, types)


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


def _name_problems(template: Spec, types: Spec) -> list[str]:
    """Dangling references and unused declarations."""
    references = list(_references(template))
    declared = {*template.get("Parameters", {}), *template.get("Conditions", {})}
    used = {name for _, kind, name in references if kind in {"Ref", "Condition"}}
    problems = [each for reference in references for each in _dangling(reference, template, types)]
    return problems + [f"{name}: declared, but never used" for name in sorted(declared - used)]


def _references(template: Spec) -> Iterator[Reference]:
    for section in ("Conditions", "Outputs"):
        yield from _references_in(template.get(section), section)
    for logical_id, resource in template.get("Resources", {}).items():
        yield from _references_in(resource.get("Properties"), logical_id)
        depends = resource.get("DependsOn", [])
        names = [depends] if isinstance(depends, str) else depends
        yield from ((logical_id, "DependsOn", name) for name in names)
        if "Condition" in resource:
            yield logical_id, "Condition", resource["Condition"]


def _references_in(value: object, where: str) -> Iterator[Reference]:
    call = intrinsic(value)
    if call is not None:
        yield from _references_of(*call, where)
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield from _references_in(item, f"{where}.{name}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _references_in(item, f"{where}[{index}]")


def _references_of(name: str, argument: Any, where: str) -> Iterator[Reference]:
    if name == "Fn::Sub":
        text, local = (argument, {}) if isinstance(argument, str) else argument
        yield from _references_in(local, where)
        for literal, variable in VARIABLE.findall(text):
            if not literal and variable not in local:
                yield where, "Fn::GetAtt" if "." in variable else "Ref", variable
    elif name in {"Fn::If", "Fn::And", "Fn::Or", "Fn::Not"}:
        arguments = argument if isinstance(argument, list) else [argument]
        conditions = arguments[:1] if name == "Fn::If" else arguments
        for each in conditions:  # by name, or as an expression
            yield from _references_in({"Condition": each} if isinstance(each, str) else each, where)
        yield from _references_in(arguments[len(conditions) :], where)
    elif name in {"Fn::Equals", "Fn::Join", "Fn::Str"}:
        yield from _references_in(argument, where)
    else:
        yield where, name, argument


def _dangling(reference: Reference, template: Spec, types: Spec) -> Iterator[str]:
    where, kind, name = reference
    resources: Spec = template.get("Resources", {})
    if kind == "Ref":
        if name not in {*template.get("Parameters", {}), *resources, *PSEUDO_PARAMETERS, NO_VALUE}:
            yield f"{where}: Ref {name}, which does not exist"
    elif kind == "Condition":
        if name not in template.get("Conditions", {}):
            yield f"{where}: condition {name} does not exist"
    elif kind == "DependsOn":
        if name not in resources:
            yield f"{where}: DependsOn {name}, which does not exist"
    elif kind == "Fn::GetAtt":
        yield from _no_attribute(where, name, resources, types)
    else:
        yield f"{where}: {kind} is no function that scripts/localcloud knows"


def _no_attribute(where: str, argument: str | list[str], resources: Spec, types: Spec) -> Iterator[str]:
    logical_id, attribute = argument.split(".", 1) if isinstance(argument, str) else argument
    if logical_id not in resources:
        yield f"{where}: Fn::GetAtt of {logical_id}, which does not exist"
    elif attribute not in types.get(resources[logical_id].get("Type"), {}).get("attributes", [attribute]):
        yield f"{where}: Fn::GetAtt of {logical_id}, which has no attribute {attribute}"


def main(arguments: list[str]) -> int:
    template = Path(arguments[0]) if arguments else ROOT / "template.yaml"
    problems = check(read_template(template), json.loads(SCHEMA.read_text(encoding="utf-8")))
    print("\n".join(problems) or f"{template.name}: no problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
