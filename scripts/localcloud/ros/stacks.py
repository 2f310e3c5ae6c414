"""Stacks that are made, changed and deleted step by step, with events, and rolled back."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from scripts.localcloud.actions.refusal import Refusal
from scripts.localcloud.ros.resources import Resource, Wanted

log = logging.getLogger(__name__)

Step = tuple[str, Resource]
"""Create, Update or Delete, and what."""
CarryOut = Callable[[str, str, Resource], None]
"""Takes the caller's key, the step's word and the resource; raises ``Refusal``."""


@dataclass(frozen=True)
class Event:
    """One line of a stack's history."""

    event_id: str
    at: datetime
    logical_id: str
    physical_id: str
    kind: str
    status: str
    reason: str


@dataclass
class Stack:
    """One stack. ``status`` is a word of
    https://help.aliyun.com/en/ros/developer-reference/api-ros-2019-09-10-getstack.
    """

    stack_id: str
    name: str
    wanted: Wanted
    made: dict[str, Resource] = field(default_factory=dict)
    status: str = ""
    reason: str = ""
    created_at: datetime = field(default_factory=lambda: datetime.now(timezone.utc))
    events: list[Event] = field(default_factory=list)
    before: tuple[str, str, int] = ("", "", 0)
    """Status, reason and number of events when the last operation was asked for."""

    @property
    def is_busy(self) -> bool:
        return self.status.endswith("_IN_PROGRESS")

    def note(self, status: str, reason: str = "", resource: Resource | None = None) -> None:
        """Tell of the stack itself, or of one resource of it."""
        if resource is None:
            self.status, self.reason = status, reason
        named = (
            (resource.logical_id, resource.physical_id, resource.kind)
            if resource
            else (self.name, self.stack_id, "ALIYUN::ROS::Stack")
        )
        self.events.append(Event(str(uuid.uuid4()), datetime.now(timezone.utc), *named, status, reason))


def changes(old: Mapping[str, Resource], new: Mapping[str, Resource]) -> list[Step]:
    """What must be done to get from one to the other, in order."""
    steps: list[Step] = []
    for key, resource in new.items():
        if key not in old:
            steps.append(("Create", resource))
        elif dict(old[key].properties) != dict(resource.properties):
            steps.append(("Update", resource))
    gone = [resource for key, resource in old.items() if key not in new]
    return [*steps, *(("Delete", resource) for resource in reversed(gone))]


class Stacks:
    """All stacks of an account; each operation goes on in a thread of its own.

    Args:
        carry_out: One step, in the service that the resource belongs to.
        run: Makes the account run what a stack wants, under its name; None ends it.

    Attributes:
        lags: While it is set, everything that is told is as before the last operation: what is
            asked for begins later than it is answered.
    """

    def __init__(self, carry_out: CarryOut, run: Callable[[str, Wanted | None], None]) -> None:
        self._carry_out = carry_out
        self._run = run
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self.all: dict[str, Stack] = {}
        self.lags = False

    def get(self, stack_id: str) -> Stack:
        if stack_id not in self.all:
            raise Refusal(404, "StackNotFound", f"The Stack ({stack_id}) could not be found.")
        return self.all[stack_id]

    def named(self, name: str) -> Stack | None:
        """The one that is not deleted."""
        found = (each for each in self.all.values() if each.name == name)
        return next((each for each in found if each.status != "DELETE_COMPLETE"), None)

    def create(self, caller: str, name: str, wanted: Wanted) -> Stack:
        with self._lock:
            if self.named(name):
                raise Refusal(409, "StackExists", f"The Stack ({name}) already exists.")
            stack = Stack(str(uuid.uuid4()), name, wanted)
            stack.note("CREATE_IN_PROGRESS", "Stack CREATE started")
            self.all[stack.stack_id] = stack
        self._begin(stack, lambda: self._create(caller, stack))
        return stack

    def update(self, caller: str, stack: Stack, wanted: Wanted) -> None:
        steps = changes(stack.made, wanted.resources)
        with self._lock:
            self._check_free(stack)
            if not steps:
                # "If no changes are made when updating the stack … a NotSupported error":
                # https://help.aliyun.com/en/ros/developer-reference/api-ros-2019-09-10-updatestack
                raise Refusal(400, "NotSupported", "There is no change of the stack.")
            stack.note("UPDATE_IN_PROGRESS", "Stack UPDATE started")
        self._begin(stack, lambda: self._update(caller, stack, wanted, steps))

    def delete(self, caller: str, stack: Stack, *, keeps: Callable[[Resource], bool]) -> None:
        with self._lock:
            self._check_free(stack)
            stack.note("DELETE_IN_PROGRESS", "Stack DELETE started")
        self._begin(stack, lambda: self._delete(caller, stack, keeps))

    def stop(self) -> None:
        for thread in self._threads:
            thread.join()

    def _check_free(self, stack: Stack) -> None:
        if stack.is_busy:
            said = f"Stack {stack.name} already has an action ({stack.status}) in progress."
            raise Refusal(409, "ActionInProgress", said)
        stack.before = (stack.status, stack.reason, len(stack.events))

    def _begin(self, stack: Stack, operation: Callable[[], None]) -> None:
        def carry_out() -> None:
            try:
                operation()
            except Exception as error:  # a full disk, say; whoever waits sees an end
                log.warning("stack.broke", extra={"stack": stack.name}, exc_info=True)
                stack.note(stack.status.replace("IN_PROGRESS", "FAILED"), f"{type(error).__name__}: {error}")

        thread = threading.Thread(target=carry_out, name="stack", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _create(self, caller: str, stack: Stack) -> None:
        failure = self._do(caller, stack, changes({}, stack.wanted.resources))
        if failure:
            stack.note("CREATE_ROLLBACK_IN_PROGRESS", failure)
            undone = self._do(caller, stack, [("Delete", each) for each in reversed(stack.made.values())])
            stack.note("CREATE_ROLLBACK_FAILED" if undone else "CREATE_ROLLBACK_COMPLETE", undone or failure)
            return
        self._run(stack.name, stack.wanted)
        stack.note("CREATE_COMPLETE", "Stack CREATE completed successfully")

    def _update(self, caller: str, stack: Stack, wanted: Wanted, steps: list[Step]) -> None:
        before = dict(stack.made)
        failure = self._do(caller, stack, steps)
        if failure:
            stack.note("ROLLBACK_IN_PROGRESS", failure)
            undone = self._do(caller, stack, changes(stack.made, before))
            stack.note("ROLLBACK_FAILED" if undone else "ROLLBACK_COMPLETE", undone or failure)
            return
        stack.wanted = wanted
        self._run(stack.name, wanted)
        stack.note("UPDATE_COMPLETE", "Stack successfully updated")

    def _delete(self, caller: str, stack: Stack, keeps: Callable[[Resource], bool]) -> None:
        self._run(stack.name, None)
        going = [each for each in reversed(stack.made.values()) if not keeps(each)]
        failure = self._do(caller, stack, [("Delete", each) for each in going])
        stack.note("DELETE_FAILED" if failure else "DELETE_COMPLETE", failure)

    def _do(self, caller: str, stack: Stack, steps: list[Step]) -> str:
        """Carry out the steps until one fails; returns why it did."""
        for step, resource in steps:
            word = step.upper()
            stack.note(f"{word}_IN_PROGRESS", "state changed", resource)
            try:
                self._carry_out(caller, step, resource)
            except Refusal as refusal:
                reason = f"{refusal.code}: {refusal.message}"
                stack.note(f"{word}_FAILED", reason, resource)
                return f"Resource {word} failed: {resource.logical_id}: {reason}"
            if step == "Delete":
                stack.made.pop(resource.logical_id, None)
            else:
                stack.made[resource.logical_id] = resource
            stack.note(f"{word}_COMPLETE", "state changed", resource)
        return ""

    def told_events(self, stack: Stack) -> list[Event]:
        """The newest first."""
        return stack.events[: stack.before[2] if self.lags else None][::-1]

    def told(self, stack: Stack) -> dict[str, Any]:
        """A stack as ``GetStack`` and ``ListStacks`` tell of it."""
        status, reason, _ = stack.before if self.lags else (stack.status, stack.reason, 0)
        return {
            "StackId": stack.stack_id,
            "StackName": stack.name,
            "Status": status,
            "StatusReason": reason,
            "CreateTime": stack.created_at.strftime("%Y-%m-%dT%H:%M:%S"),
        }
