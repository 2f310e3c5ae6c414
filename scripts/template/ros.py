"""Resolve one ROS template: parameters, conditions and intrinsic functions become plain values."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from scripts.template.parameters import TemplateError, parameter_values, text_of

NO_VALUE = "ALIYUN::NoValue"
VARIABLE = re.compile(r"\$\{(!?)([^}]+)\}")

_NOTHING = object()
# libyaml's, ten times as fast, wherever PyYAML was built with it.
_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def intrinsic(value: object) -> tuple[str, Any] | None:
    """Name and argument of ``{Ref: …}``, ``{Fn::…: …}`` or ``{Condition: …}``, else ``None``."""
    if isinstance(value, Mapping) and len(value) == 1:
        name, argument = next(iter(value.items()))
        if name in {"Ref", "Condition"} or str(name).startswith("Fn::"):
            return str(name), argument
    return None


def read_template(path: Path) -> dict[str, Any]:
    template = yaml.load(path.read_text(encoding="utf-8"), _LOADER)  # noqa: S506 - a safe one
    if not isinstance(template, dict) or "Resources" not in template:
        raise TemplateError(f"{path}: not a ROS template, it has no Resources")
    return template


class Template:
    """A parsed template with values for its parameters.

    Args:
        parameters: Values by name; pseudo parameters may be among them, under their full names.
        attributes: What only a deployed resource knows, such as a trigger's URL, by logical id and
            attribute.

    Raises:
        TemplateError: A parameter is unknown, missing or not allowed.
    """

    def __init__(
        self,
        template: Mapping[str, Any],
        parameters: Mapping[str, object],
        attributes: Mapping[tuple[str, str], str],
    ) -> None:
        self._resources: Mapping[str, Any] = template["Resources"]
        self._conditions: Mapping[str, Any] = template.get("Conditions") or {}
        self._attributes = attributes
        self._values = parameter_values(template.get("Parameters") or {}, parameters)
        self._open: list[str] = []  # what is being resolved, to notice circles
        self._functions: Mapping[str, Callable[[Any], object]] = {
            "Ref": self._ref,
            "Condition": self.condition,
            "Fn::GetAtt": self._get_att,
            "Fn::Sub": self._sub,
            "Fn::Str": lambda value: text_of(self.resolve(value)),
            "Fn::Join": lambda value: text_of(value[0]).join(
                text_of(self.resolve(part)) for part in value[1]
            ),
            "Fn::If": lambda value: self._resolve(value[1] if self.condition(value[0]) else value[2]),
            "Fn::Equals": lambda value: self.resolve(value[0]) == self.resolve(value[1]),
            "Fn::Not": lambda value: not self.condition(value[0] if isinstance(value, list) else value),
            "Fn::And": lambda value: all(self.condition(part) for part in value),
            "Fn::Or": lambda value: any(self.condition(part) for part in value),
        }

    def resources(self, kind: str) -> list[str]:
        """The logical ids of one type's resources whose condition holds, in order."""
        return [
            logical_id
            for logical_id, resource in self._resources.items()
            if resource["Type"] == kind and self.exists(logical_id)
        ]

    def exists(self, logical_id: str) -> bool:
        name = self._resources[logical_id].get("Condition")
        return name is None or self.condition(name)

    def properties(self, logical_id: str) -> dict[str, Any]:
        """All properties of a resource, resolved. Raises ``TemplateError`` where one cannot be."""
        resolved = self.resolve(self._resource(logical_id).get("Properties") or {}, logical_id)
        assert isinstance(resolved, dict)  # noqa: S101 - a resolved map is a map
        return resolved

    def property(self, logical_id: str, name: str, default: object = None) -> Any:
        """One property of a resource; the others need not be resolvable."""
        value = (self._resource(logical_id).get("Properties") or {}).get(name, default)
        return self.resolve(value, f"{logical_id}.{name}")

    def condition(self, value: object) -> bool:
        """Whether a condition holds, given by name or as an expression."""
        if isinstance(value, bool):
            return value
        if not isinstance(value, str):
            return bool(self.resolve(value))
        if value not in self._conditions:
            raise TemplateError(f"there is no condition {value}")
        return self._guarded(f"condition {value}", lambda: self.resolve(self._conditions[value])) is True

    def resolve(self, value: object, where: str = "") -> object:
        """The value with every intrinsic in it replaced; ``where`` leads an error's message."""
        resolved = self._resolve(value, where)
        return None if resolved is _NOTHING else resolved

    def _resolve(self, value: object, where: str = "") -> object:
        call = intrinsic(value)
        if call is not None:
            return self._call(*call, where)
        if isinstance(value, Mapping):
            pairs = ((key, self._resolve(item, where and f"{where}.{key}")) for key, item in value.items())
            return {key: item for key, item in pairs if item is not _NOTHING}
        if isinstance(value, list):
            items = (self._resolve(item, where and f"{where}[{index}]") for index, item in enumerate(value))
            return [item for item in items if item is not _NOTHING]
        return value

    def _call(self, name: str, argument: Any, where: str) -> object:
        try:
            return self._function(name)(argument)
        except TemplateError as error:
            if where and not str(error).startswith(f"{where}: "):
                raise TemplateError(f"{where}: {error}") from error
            raise

    def _function(self, name: str) -> Callable[[Any], object]:
        if name not in self._functions:
            raise TemplateError(f"{name} is not supported here")
        return self._functions[name]

    def _ref(self, name: str) -> object:
        if name == NO_VALUE:
            return _NOTHING
        if name in self._values:
            return self._values[name]
        if name in self._resources:
            if (name, "Ref") in self._attributes:
                return self._attributes[name, "Ref"]
            raise TemplateError(f"Ref {name}: give its value as the attribute ({name!r}, 'Ref')")
        raise TemplateError(f"Ref {name}: there is no such parameter or resource")

    def _get_att(self, argument: list[str] | str) -> object:
        logical_id, attribute = argument.split(".", 1) if isinstance(argument, str) else argument
        if (logical_id, attribute) in self._attributes:
            return self._attributes[logical_id, attribute]
        resource = self._resource(logical_id)
        if not self.exists(logical_id):
            raise TemplateError(f"{logical_id}.{attribute}: the condition of {logical_id} does not hold")
        # Most attributes are the property of the same name; a bucket's Name is its BucketName.
        for name in (attribute, f"{resource['Type'].rsplit('::', 1)[-1]}{attribute}"):
            if name in (resource.get("Properties") or {}):
                return self._guarded(f"{logical_id}.{name}", lambda: self.property(logical_id, name))  # noqa: B023 - called at once
        raise TemplateError(f"{logical_id}.{attribute} is only known once deployed: give it as an attribute")

    def _sub(self, argument: str | list[Any]) -> str:
        text, local = (argument, {}) if isinstance(argument, str) else (argument[0], argument[1])

        def value_of(match: re.Match[str]) -> str:
            literal, name = match.groups()
            if literal:
                return f"${{{name}}}"
            if name in local:
                return text_of(self.resolve(local[name]))
            return text_of(self._get_att(name) if "." in name else self._ref(name))

        return VARIABLE.sub(value_of, text)

    def _resource(self, logical_id: str) -> Mapping[str, Any]:
        if logical_id not in self._resources:
            raise TemplateError(f"there is no resource {logical_id}")
        resource: Mapping[str, Any] = self._resources[logical_id]
        return resource

    def _guarded(self, name: str, resolve: Callable[[], Any]) -> Any:
        if name in self._open:
            raise TemplateError("circular reference: " + " → ".join([*self._open, name]))
        self._open.append(name)
        try:
            return resolve()
        finally:
            self._open.pop()
