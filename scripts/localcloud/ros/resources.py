"""A stack's resources as its template wants them: resolved, in the order in which they are made."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.localcloud.options import ACCOUNT_ID, REGION
from scripts.template.parameters import TemplateError
from scripts.template.read import ROLE, TRIGGER, load_stack
from scripts.template.ros import VARIABLE, Template, intrinsic, read_template
from scripts.template.stack import Stack

# What a resource is called in its own service, by the first of these properties that it has.
_NAMES = (
    *("FunctionName", "BucketName", "RoleName", "QueueName", "TriggerName", "RuleName"),
    *("LogstoreName", "TopicName", "ConsumerGroupId", "Name"),
)
_HIDDEN = "******"


@dataclass(frozen=True)
class Resource:
    """One resource; ``properties`` are resolved."""

    logical_id: str
    kind: str
    properties: Mapping[str, Any]
    keeps: bool  # DeletionPolicy: Retain

    @property
    def physical_id(self) -> str:
        named = (self.properties[name] for name in _NAMES if name in self.properties)
        own = next(named, self.logical_id)
        is_trigger = self.kind == TRIGGER
        return f"{self.properties['FunctionName']}/{own}" if is_trigger else str(own)


@dataclass(frozen=True)
class Wanted:
    """What a template wants with these parameters.

    Attributes:
        given: The parameters' values as they were given, without defaults.
        resources: By logical id, each after what it needs.
        stack: The same as what the local Function Compute runs.
    """

    given: Mapping[str, str]
    resources: Mapping[str, Resource]
    stack: Stack
    outputs: Mapping[str, Any]
    parameters: Mapping[str, str]


def wanted(
    template_file: Path,
    given: Mapping[str, str],
    previous: Mapping[str, str],
    name: str,
    url_of: Callable[[str], str],
) -> Wanted:
    """Read a template as ROS would deploy it.

    Args:
        template_file: YAML or JSON.
        given: Values of parameters by name.
        previous: Values of those that are not given; of what the template does not have, none.
        name: The stack's.
        url_of: The address of a function's HTTP trigger, by the function's name.

    Raises:
        TemplateError: As ``load_stack``.
    """
    document = read_template(template_file)
    declared = document.get("Parameters") or {}
    given = {**{key: value for key, value in previous.items() if key in declared}, **given}
    values = {
        **given,
        "ALIYUN::Region": REGION,
        "ALIYUN::AccountId": ACCOUNT_ID,
        "ALIYUN::StackName": name,
    }
    attributes = _attributes(document, values, url_of)
    template = Template(document, values, attributes)
    stack = load_stack(template_file, values, attributes)
    ordered = [each for each in _in_order(document["Resources"]) if template.exists(each)]
    resources = {each: _resource(document, template, each) for each in ordered}
    outputs = {
        key: template.resolve(spec["Value"], f"Outputs.{key}")
        for key, spec in (document.get("Outputs") or {}).items()
        if template.condition(spec.get("Condition", True))
    }
    return Wanted(dict(given), resources, stack, outputs, _shown(document, given))


def _resource(document: Mapping[str, Any], template: Template, logical_id: str) -> Resource:
    spec = document["Resources"][logical_id]
    keeps = spec.get("DeletionPolicy") == "Retain"
    return Resource(logical_id, spec["Type"], template.properties(logical_id), keeps)


def _attributes(
    document: Mapping[str, Any], values: Mapping[str, str], url_of: Callable[[str], str]
) -> dict[tuple[str, str], str]:
    """What only this account knows: its roles and the addresses of its functions."""
    found = {
        (key, "Arn"): f"acs:ram:::role/{key}"
        for key, it in document["Resources"].items()
        if it["Type"] == ROLE
    }
    bare = Template(document, values, found)
    for key in bare.resources(TRIGGER):
        if bare.property(key, "TriggerType") == "http":
            url = url_of(bare.property(key, "FunctionName"))
            found |= {(key, "UrlInternet"): url, (key, "UrlIntranet"): url}
    return found


def _shown(document: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, str]:
    """All parameters as ``GetStack`` shows them."""
    declared = document.get("Parameters") or {}
    return {
        name: _HIDDEN if spec.get("NoEcho") else str(given.get(name, spec.get("Default", "")))
        for name, spec in declared.items()
    }


def _in_order(resources: Mapping[str, Any]) -> list[str]:
    """Each after what it refers to or depends on."""
    done: dict[str, None] = {}

    def add(key: str, above: tuple[str, ...]) -> None:
        if key in above:
            raise TemplateError("circular dependency: " + " → ".join([*above, key]))
        depends = resources[key].get("DependsOn", [])
        needed = {*([depends] if isinstance(depends, str) else depends), *_referred(resources[key])}
        for each in sorted(needed & resources.keys() - done.keys() - {key}):
            add(each, (*above, key))
        done[key] = None

    for key in resources:
        if key not in done:
            add(key, ())
    return list(done)


def _referred(value: object) -> Iterator[str]:
    """The names that are referred to in a part of a template."""
    call = intrinsic(value)
    if call and call[0] == "Ref":
        yield call[1]
    elif call and call[0] == "Fn::GetAtt":
        yield call[1][0] if isinstance(call[1], list) else call[1].partition(".")[0]
    elif call and call[0] == "Fn::Sub":
        text = call[1] if isinstance(call[1], str) else call[1][0]
        yield from (found[2].partition(".")[0] for found in VARIABLE.finditer(text))
    for inner in value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ():
        yield from _referred(inner)
