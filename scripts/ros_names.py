"""Check that everything a ROS template refers to exists, and that everything it declares is used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from scripts.localcloud.ros import NO_VALUE, PSEUDO_PARAMETERS, VARIABLE, intrinsic


def name_problems(template: Mapping[str, Any], types: Mapping[str, Any]) -> list[str]:
    """Dangling references and unused declarations, each led by its place.

    Args:
        template: The parsed YAML.
        types: Resource types by name, each with its ``attributes``.
    """
    return _Names(template, types).problems()


class _Names:
    """Walks one template and remembers which names it met."""

    def __init__(self, template: Mapping[str, Any], types: Mapping[str, Any]) -> None:
        self._template = template
        self._resources: Mapping[str, Any] = template.get("Resources", {})
        self._parameters = set(template.get("Parameters", {}))
        self._conditions = set(template.get("Conditions", {}))
        self._types = types
        self._used: set[str] = set()

    def problems(self) -> list[str]:
        found = [
            problem
            for name in ("Conditions", "Outputs")
            for problem in self._walk(self._template.get(name), name)
        ]
        for logical_id, resource in self._resources.items():
            found += self._walk(resource.get("Properties"), logical_id)
            depends = resource.get("DependsOn", [])
            names = [depends] if isinstance(depends, str) else depends
            found += [
                f"{logical_id}: DependsOn {name}, which does not exist"
                for name in names
                if name not in self._resources
            ]
            if "Condition" in resource:
                found += self._condition(resource["Condition"], logical_id)
        unused = sorted((self._parameters | self._conditions) - self._used)
        return found + [f"{name}: declared, but never used" for name in unused]

    def _walk(self, value: object, where: str) -> Iterator[str]:
        call = intrinsic(value)
        if call is not None:
            yield from self._call(*call, where)
        elif isinstance(value, Mapping):
            for name, item in value.items():
                yield from self._walk(item, f"{where}.{name}")
        elif isinstance(value, list):
            for index, item in enumerate(value):
                yield from self._walk(item, f"{where}[{index}]")

    def _call(self, name: str, argument: Any, where: str) -> Iterator[str]:
        if name == "Ref":
            yield from self._ref(argument, where)
        elif name == "Fn::GetAtt":
            yield from self._attribute(argument, where)
        elif name == "Fn::Sub":
            yield from self._sub(argument, where)
        elif name == "Condition":
            yield from self._condition(argument, where)
        elif name in {"Fn::If", "Fn::And", "Fn::Or", "Fn::Not"}:
            yield from self._logic(name, argument if isinstance(argument, list) else [argument], where)
        elif name in {"Fn::Equals", "Fn::Join", "Fn::Str"}:
            yield from self._walk(argument, where)
        else:
            yield f"{where}: {name} is no function that scripts/localcloud knows"

    def _logic(self, name: str, arguments: list[Any], where: str) -> Iterator[str]:
        conditions = arguments[:1] if name == "Fn::If" else arguments
        for condition in conditions:
            if isinstance(condition, str):
                yield from self._condition(condition, where)
            else:
                yield from self._walk(condition, where)
        if name == "Fn::If":
            yield from self._walk(arguments[1:], where)

    def _ref(self, name: str, where: str) -> Iterator[str]:
        self._used.add(name)
        if name not in self._parameters | set(self._resources) | set(PSEUDO_PARAMETERS) | {NO_VALUE}:
            yield f"{where}: Ref {name}, which does not exist"

    def _attribute(self, argument: str | list[str], where: str) -> Iterator[str]:
        logical_id, attribute = argument.split(".", 1) if isinstance(argument, str) else argument
        if logical_id not in self._resources:
            yield f"{where}: Fn::GetAtt of {logical_id}, which does not exist"
            return
        kind = self._types.get(self._resources[logical_id].get("Type"), {})
        if attribute not in kind.get("attributes", [attribute]):
            yield f"{where}: Fn::GetAtt of {logical_id}, which has no attribute {attribute}"

    def _sub(self, argument: Any, where: str) -> Iterator[str]:
        text, local = (argument, {}) if isinstance(argument, str) else argument
        yield from self._walk(local, where)
        for literal, name in VARIABLE.findall(text):
            if literal or name in local:
                continue
            yield from self._attribute(name, where) if "." in name else self._ref(name, where)

    def _condition(self, name: str, where: str) -> Iterator[str]:
        self._used.add(name)
        if name not in self._conditions:
            yield f"{where}: condition {name} does not exist"
