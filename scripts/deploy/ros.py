"""Stacks through ROS's own SDK."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alibabacloud_ros20190910 import models
from alibabacloud_ros20190910.client import Client

from scripts.deploy.control import CloudRefused, Control, Question, answered

HOST = "ros.aliyuncs.com"
# https://help.aliyun.com/en/ros/developer-reference/api-ros-2019-09-10-generatetemplatepolicy
_POLICY = Question(HOST, "2019-09-10", "GenerateTemplatePolicy")
_OPERATIONS = ("CreateStack", "UpdateStack", "DeleteStack")
_LOOK_S = 2.0
_MAY_BE_LOST = 5  # looks in a row
_PAGE = 50
# "Stacks in these states can be updated":
# https://help.aliyun.com/en/ros/developer-reference/api-ros-2019-09-10-updatestack
UPDATABLE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED")
# Nothing is left of these but their history.
FAILED_CREATES = ("CREATE_FAILED", "CREATE_ROLLBACK_COMPLETE", "CREATE_ROLLBACK_FAILED")


@dataclass(frozen=True)
class Stack:
    """A stack as ROS tells of it; hidden parameters are stars."""

    stack_id: str
    name: str
    status: str
    reason: str
    parameters: Mapping[str, str]
    outputs: Mapping[str, str]

    @property
    def is_busy(self) -> bool:
        return self.status.endswith("_IN_PROGRESS")


@dataclass(frozen=True)
class Event:
    """One step with one resource, or with the stack itself."""

    event_id: str
    logical_id: str
    kind: str
    status: str
    reason: str

    @property
    def has_failed(self) -> bool:
        return self.status.endswith("_FAILED")


@dataclass(frozen=True)
class Change:
    """What an update would do: Add, Modify or Remove a resource."""

    action: str
    logical_id: str
    kind: str
    replaces: bool


class Ros:
    """The stacks of one region.

    Every method raises ``CloudRefused``.
    """

    def __init__(self, control: Control, region: str) -> None:
        self._control = control
        self._client = Client(control.config(HOST))
        self._region = region

    def find(self, name: str) -> Stack | None:
        """The stack of that name which is not deleted."""
        request = models.ListStacksRequest(region_id=self._region, stack_name=[name], page_size=_PAGE)
        listed = answered(lambda: self._client.list_stacks(request)).body.stacks or []
        found = [each for each in listed if each.stack_name == name and each.status != "DELETE_COMPLETE"]
        return self.get(found[0].stack_id) if found else None

    def get(self, stack_id: str) -> Stack:
        request = models.GetStackRequest(region_id=self._region, stack_id=stack_id)
        body = answered(lambda: self._client.get_stack(request)).body
        parameters = {each.parameter_key: each.parameter_value for each in body.parameters or []}
        outputs = {str(each["OutputKey"]): str(each.get("OutputValue", "")) for each in body.outputs or []}
        return Stack(
            stack_id,
            body.stack_name,
            body.status,
            (body.status_reason or "").rstrip(". "),
            parameters,
            outputs,
        )

    def create(self, name: str, template: str, parameters: Mapping[str, str]) -> str:
        """Begin; returns the stack's id."""
        request = models.CreateStackRequest(
            region_id=self._region,
            stack_name=name,
            template_body=template,
            parameters=_pairs(models.CreateStackRequestParameters, parameters),
        )
        return str(answered(lambda: self._client.create_stack(request)).body.stack_id)

    def update(self, stack_id: str, template: str, parameters: Mapping[str, str]) -> None:
        """Begin; parameters that are not given stay. It is refused if nothing changes."""
        request = models.UpdateStackRequest(
            region_id=self._region,
            stack_id=stack_id,
            template_body=template,
            use_previous_parameters=True,
            parameters=_pairs(models.UpdateStackRequestParameters, parameters),
        )
        answered(lambda: self._client.update_stack(request))

    def preview(self, stack_id: str, template: str, parameters: Mapping[str, str]) -> list[Change]:
        """What ``update`` would do."""
        request = models.PreviewStackRequest(
            region_id=self._region,
            stack_id=stack_id,
            template_body=template,
            use_previous_parameters=True,
            parameters=_pairs(models.PreviewStackRequestParameters, parameters),
        )
        found = answered(lambda: self._client.preview_stack(request)).body.stack.resources or []
        return [
            Change(each.action, each.logical_resource_id, each.resource_type, each.replacement == "True")
            for each in found
            if each.action in {"Add", "Modify", "Remove"}
        ]

    def delete(self, stack_id: str, retained: Sequence[str] = ()) -> None:
        """Begin; resources of these logical ids stay, whatever the template says of them."""
        request = models.DeleteStackRequest(
            region_id=self._region, stack_id=stack_id, retain_resources=list(retained) or None
        )
        answered(lambda: self._client.delete_stack(request))

    def needed_rights(self, template: str, parameters: Mapping[str, str]) -> list[str]:
        """The actions that ROS carries out with its caller's rights, over the stack's life."""
        # Not by the SDK's own method, which puts the template into the address: 60 KB are too much.
        given = {f"OperationTypes.{number}": name for number, name in enumerate(_OPERATIONS, 1)}
        for number, (name, value) in enumerate(parameters.items(), 1):
            given |= {f"Parameters.{number}.ParameterKey": name, f"Parameters.{number}.ParameterValue": value}
        # Parameters hold secrets, and addresses end up in logs and in what errors say.
        policy = self._control.ask(_POLICY, {"TemplateBody": template, **given}).get("Policy", {})
        return sorted({str(action) for each in policy.get("Statement", []) for action in each["Action"]})

    def told_events(self, stack_id: str) -> set[str]:
        """The ids of what has happened so far."""
        return {each.event_id for each in self._events(stack_id)}

    def followed(self, stack_id: str, tell: Callable[[Event], object], told: set[str]) -> Stack:
        """Wait for the end of what goes on; tell of each step that is not in ``told``, once.

        What was asked for may begin a moment later: until its first step the stack is as it was.
        """
        before, lost = len(told), 0
        while True:
            try:
                self._tell_new(stack_id, tell, told)
                stack = self.get(stack_id)
                if len(told) > before and not stack.is_busy:
                    self._tell_new(stack_id, tell, told)  # the last steps
                    return stack
                lost = 0
            except CloudRefused as refused:
                lost += 1
                if not refused.is_passing or lost > _MAY_BE_LOST:
                    raise
            time.sleep(_LOOK_S)

    def _tell_new(self, stack_id: str, tell: Callable[[Event], object], told: set[str]) -> None:
        new = [each for each in self._events(stack_id) if each.event_id not in told]
        for event in reversed(new):
            told.add(event.event_id)
            tell(event)

    def _events(self, stack_id: str) -> Iterator[Event]:
        """The newest first."""
        number = 0
        while True:
            number += 1
            request = models.ListStackEventsRequest(
                region_id=self._region, stack_id=stack_id, page_size=_PAGE, page_number=number
            )
            found: Sequence[Any] = self._page(request)
            yield from (
                Event(
                    each.event_id,
                    each.logical_resource_id,
                    each.resource_type,
                    each.status,
                    each.status_reason or "",
                )
                for each in found
            )
            if len(found) < _PAGE:
                return

    def _page(self, request: models.ListStackEventsRequest) -> Sequence[Any]:
        return answered(lambda: self._client.list_stack_events(request)).body.events or []


def _pairs(kind: Callable[..., Any], parameters: Mapping[str, str]) -> list[Any]:
    return [kind(parameter_key=name, parameter_value=value) for name, value in parameters.items()]
