"""The values of a template's parameters: what is given, its default, and what is refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

# Pseudo parameters and what they are where nothing else is said; see
# https://www.alibabacloud.com/help/en/ros/user-guide/pseudo-parameters.
PSEUDO_PARAMETERS: Mapping[str, str] = {
    "ALIYUN::Region": "cn-beijing",
    "ALIYUN::AccountId": "1234567890123456",
    "ALIYUN::StackName": "batchdrop",
    "ALIYUN::StackId": "local",
    "ALIYUN::TenantId": "1234567890123456",
}


class TemplateError(Exception):
    """The template, or a value given for it, is wrong; the message names the place."""


def text_of(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    raise TemplateError(f"expected text, found {value!r}")


def parameter_values(declared: Mapping[str, Any], given: Mapping[str, object]) -> dict[str, object]:
    unknown = sorted(set(given) - set(declared) - set(PSEUDO_PARAMETERS))
    missing = sorted(name for name, spec in declared.items() if name not in given and "Default" not in spec)
    problems = [f"there is no parameter {name}" for name in unknown]
    problems += [f"parameter {name} is missing" for name in missing]
    values: dict[str, object] = {
        name: given.get(name, default) for name, default in PSEUDO_PARAMETERS.items()
    }
    for name, spec in declared.items():
        if name in missing:
            continue
        value = _typed(given.get(name, spec.get("Default")), spec.get("Type", "String"))
        reason = _refusal(value, spec)
        if reason:
            shown = "its value" if spec.get("NoEcho") else repr(value)
            problems.append(f"parameter {name}: {shown} {reason}")
        values[name] = value
    if problems:
        raise TemplateError("; ".join(problems))
    return values


def _typed(value: object, kind: str) -> object:
    if kind == "Number" and isinstance(value, str):
        try:
            return float(value) if "." in value else int(value)
        except ValueError:
            return value
    return text_of(value) if kind == "String" and not isinstance(value, str) else value


def _refusal(value: object, spec: Mapping[str, Any]) -> str:
    if spec.get("Type") == "Number" and not isinstance(value, int | float):
        return "is not a number"
    if "AllowedValues" in spec and value not in spec["AllowedValues"]:
        return f"is not one of {', '.join(map(str, spec['AllowedValues']))}"
    if "AllowedPattern" in spec and not re.search(spec["AllowedPattern"], str(value)):
        return f"does not match {spec['AllowedPattern']}"
    size = value if isinstance(value, int | float) else len(str(value))
    lower = spec.get("MinValue", spec.get("MinLength"))
    upper = spec.get("MaxValue", spec.get("MaxLength"))
    if (lower is not None and size < lower) or (upper is not None and size > upper):
        return f"is not within {lower} and {upper}"
    return ""
