"""ROS's actions, from what a request holds to what its answer holds.

Parameters, answers and errors as in
https://help.aliyun.com/en/ros/developer-reference/api-ros-2019-09-10-overview; what a request holds
beyond that is ignored here, as far as it does not change what happens.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from scripts.localcloud.actions.refusal import Refusal
from scripts.localcloud.options import REGION
from scripts.localcloud.ros.app import Action
from scripts.localcloud.ros.identity import AccountKeys
from scripts.localcloud.ros.resources import Wanted, wanted
from scripts.localcloud.ros.rights import needed_by
from scripts.localcloud.ros.stacks import Stack, Stacks, changes
from scripts.template.parameters import TemplateError

VERSION = "2019-09-10"
_PREVIEWED = {"Create": "Add", "Update": "Modify", "Delete": "Remove"}
_STEPS = {"CreateStack": "Create", "UpdateStack": "Update", "DeleteStack": "Delete"}


class RosActions:
    """The actions of one region; each takes the caller's key and the request's parameters.

    Args:
        scratch: A folder for templates that are read.
        url_of: The address of a function's HTTP trigger, by the function's name.
    """

    def __init__(
        self, stacks: Stacks, keys: AccountKeys, url_of: Callable[[str], str], scratch: Path
    ) -> None:
        self._stacks = stacks
        self._keys = keys
        self._url_of = url_of
        self._scratch = scratch

    def actions(self) -> Iterator[tuple[tuple[str, str], Action]]:
        """By version and name; each needs the right of its name."""
        for name, action in {
            "CreateStack": self._create,
            "UpdateStack": self._update,
            "DeleteStack": self._delete,
            "GetStack": self._get,
            "ListStacks": self._list,
            "ListStackEvents": self._events,
            "PreviewStack": self._preview,
            "GenerateTemplatePolicy": self._policy,
        }.items():
            yield (VERSION, name), self._checked(name, action)

    def _checked(self, name: str, action: Action) -> Action:
        def act(caller: str, given: Mapping[str, str]) -> Mapping[str, Any]:
            self._keys.check(caller, f"ros:{name}")
            return action(caller, given)

        return act

    def _create(self, caller: str, given: Mapping[str, str]) -> Mapping[str, Any]:
        name = _required(given, "StackName")
        stack = self._stacks.create(caller, name, self._wanted(given, name, {}))
        return {"StackId": stack.stack_id}

    def _update(self, caller: str, given: Mapping[str, str]) -> Mapping[str, Any]:
        stack = self._stacks.get(_required(given, "StackId"))
        self._stacks.update(caller, stack, self._wanted(given, stack.name, _previous(given, stack)))
        return {"StackId": stack.stack_id}

    def _delete(self, caller: str, given: Mapping[str, str]) -> Mapping[str, Any]:
        stack = self._stacks.get(_required(given, "StackId"))
        kept = {*_listed(given, "RetainResources")}
        keeps_all = _is_true(given, "RetainAllResources")
        self._stacks.delete(
            caller, stack, keeps=lambda each: keeps_all or each.keeps or each.logical_id in kept
        )
        return {}

    def _get(self, _caller: str, given: Mapping[str, str]) -> Mapping[str, Any]:
        stack = self._stacks.get(_required(given, "StackId"))
        parameters = [
            {"ParameterKey": key, "ParameterValue": value} for key, value in stack.wanted.parameters.items()
        ]
        outputs = [
            {"OutputKey": key, "OutputValue": value, "Description": ""}
            for key, value in stack.wanted.outputs.items()
        ]
        return {
            **self._stacks.told(stack),
            "RegionId": REGION,
            "Parameters": parameters,
            "Outputs": outputs if stack.made and not stack.is_busy else [],
        }

    def _list(self, _caller: str, given: Mapping[str, str]) -> Mapping[str, Any]:
        names = {*_listed(given, "StackName")}
        found = [each for each in self._stacks.all.values() if not names or each.name in names]
        told = [self._stacks.told(each) for each in found if each.status != "DELETE_COMPLETE"]
        return {"Stacks": told, "TotalCount": len(told), "PageNumber": 1, "PageSize": 10}

    def _events(self, _caller: str, given: Mapping[str, str]) -> Mapping[str, Any]:
        stack = self._stacks.get(_required(given, "StackId"))
        size, page = int(given.get("PageSize", 10)), int(given.get("PageNumber", 1))
        newest = self._stacks.told_events(stack)
        told = [
            {
                "EventId": each.event_id,
                "CreateTime": each.at.strftime("%Y-%m-%dT%H:%M:%S"),
                "LogicalResourceId": each.logical_id,
                "PhysicalResourceId": each.physical_id,
                "ResourceType": each.kind,
                "Status": each.status,
                "StatusReason": each.reason,
                "StackId": stack.stack_id,
                "StackName": stack.name,
            }
            for each in newest[(page - 1) * size : page * size]
        ]
        return {"Events": told, "TotalCount": len(newest), "PageNumber": page, "PageSize": size}

    def _preview(self, _caller: str, given: Mapping[str, str]) -> Mapping[str, Any]:
        stack = self._stacks.get(given["StackId"]) if given.get("StackId") else None
        name = stack.name if stack else _required(given, "StackName")
        new = self._wanted(given, name, _previous(given, stack) if stack else {})
        resources = [
            {
                "LogicalResourceId": resource.logical_id,
                "ResourceType": resource.kind,
                "Action": _PREVIEWED[step],
                "Properties": dict(resource.properties),
            }
            for step, resource in changes(stack.made if stack else {}, new.resources)
        ]
        return {"Stack": {"StackName": name, "RegionId": REGION, "Resources": resources}}

    def _policy(self, _caller: str, given: Mapping[str, str]) -> Mapping[str, Any]:
        operations = _listed(given, "OperationTypes") or list(_STEPS)
        kinds = [each.kind for each in self._wanted(given, "preview", {}).resources.values()]
        actions = needed_by(kinds, [_STEPS[each] for each in operations])
        statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
        return {"Policy": {"Version": "1", "Statement": [statement]}}

    def _wanted(self, given: Mapping[str, str], name: str, previous: Mapping[str, str]) -> Wanted:
        file = self._scratch / f"{uuid.uuid4()}.yaml"
        file.write_text(_required(given, "TemplateBody"), encoding="utf-8")
        try:
            return wanted(file, _parameters(given), previous, name, self._url_of)
        except TemplateError as error:
            raise Refusal(400, "StackValidationFailed", f"Template is invalid: {error}.") from error
        finally:
            file.unlink()


def _required(given: Mapping[str, str], name: str) -> str:
    if not given.get(name):
        raise Refusal(400, "MissingParameter", f"The input parameter {name} is mandatory.")
    return given[name]


def _parameters(given: Mapping[str, str]) -> dict[str, str]:
    """``Parameters.1.ParameterKey`` and its kind."""
    found: dict[str, str] = {}
    number = 1
    while f"Parameters.{number}.ParameterKey" in given:
        found[given[f"Parameters.{number}.ParameterKey"]] = given.get(
            f"Parameters.{number}.ParameterValue", ""
        )
        number += 1
    return found


def _listed(given: Mapping[str, str], name: str) -> list[str]:
    """``StackName.1`` and its kind, or a list in JSON."""
    if name in given and given[name].startswith("["):
        return list(json.loads(given[name]))
    return [value for key, value in given.items() if key.startswith(f"{name}.")]


def _previous(given: Mapping[str, str], stack: Stack) -> Mapping[str, str]:
    """Only those that the new template has, too, are taken from there."""
    return stack.wanted.given if _is_true(given, "UsePreviousParameters") else {}


def _is_true(given: Mapping[str, str], name: str) -> bool:
    return given.get(name, "").lower() == "true"
