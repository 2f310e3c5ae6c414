"""Takes one task from its creation to its end, or until the service stops."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

from scripts.localcloud.actions.objects import Objects
from scripts.localcloud.answers.row_run import RunContext, Stopped
from scripts.localcloud.servers.json_bodies import json_object_in
from scripts.localcloud.storage.refusals import Refusal
from scripts.localcloud.tione.model_addresses import ModelAddresses
from scripts.localcloud.tione.model_server import ModelServer
from scripts.localcloud.tione.tasks.callbacks import Callbacks
from scripts.localcloud.tione.tasks.container import Container
from scripts.localcloud.tione.tasks.output import publish
from scripts.localcloud.tione.tasks.task import (
    FAILED,
    INIT,
    RUNNING,
    STARTING,
    STOPPED,
    STOPPING,
    SUCCEED,
    Task,
)
from scripts.localcloud.tione.tasks.task_faults import TaskFault
from scripts.localcloud.tione.tasks.task_store import TaskStore

_TICK_S = 0.02
# What a container's first process has for its end, which is more than our runner takes.
_GRACE_S = 30.0
# So it stands there on success.
_DONE = "job succeed"
_KILLED = "job failed: the container was killed, exit code 137"


@dataclass(frozen=True)
class Surroundings:
    """What the runs of all tasks share."""

    store: TaskStore
    objects: Objects
    model_server: ModelServer
    model_addresses: ModelAddresses
    callbacks: Callbacks
    context: RunContext[TaskFault]


@dataclass(frozen=True)
class _End:
    phase: str
    reason: str
    has_output: bool = True


class TaskRun:
    """A quarter of the delay passes before it starts, a quarter before it runs, half at its end."""

    def __init__(self, task_id: str, around: Surroundings) -> None:
        self._id = task_id
        self._around = around
        self._store = around.store
        self._fault = around.store.fault_of(task_id)
        self._delay_s = around.context.batch_delay_s

    def run(self) -> Task:
        """Take the task from its present state to its end; a container begins afresh.

        Raises:
            Stopped: The service stops first.
        """
        task = self._task()
        if task.is_terminal:
            return task
        if task.phase == INIT:
            self._wait(self._delay_s / 4)
            task = self._store.update(self._id, phase=STARTING)
        if task.phase == STARTING:
            self._wait(self._delay_s / 4)
            self._wait_for_looks()
            if self._fault.outcome == "fail":
                return self._ended(_End(FAILED, self._fault.reason, has_output=False))
            task = self._store.update(self._id, phase=RUNNING, started_at=self._now())
        try:
            end = self._run_container(task)
        except Refusal as refusal:
            end = _End(FAILED, f"job failed: {refusal.code}", has_output=False)
        return self._ended(end)

    def _run_container(self, task: Task) -> _End:
        container = Container(self._store.folder_of(self._id))
        if task.phase == STOPPING:
            return _End(STOPPED, "", has_output=False)
        container.fill(task, self._around.objects)
        self._around.model_addresses.correct(container.inputs)
        with ExitStack() as running:
            model = _model_in(container)
            end_server = running.enter_context(self._around.model_server.serving(model, self._most_rows))
            running.callback(container.end)
            container.start(task.command)
            self._around.callbacks.forge(task, self._fault.forged_callbacks)
            end = self._awaited(container, end_server)
        if end.phase == SUCCEED:
            self._wait(self._delay_s / 2)
        if end.has_output and not self._fault.late_describes:
            publish(container.output, task.output, self._around.objects, self._fault)
        return end

    def _awaited(self, container: Container, end_server: Callable[[], None]) -> _End:
        while (code := container.exit_code()) is None:
            self._check()
            is_struck = self._most_rows is not None and _rows_in(container) >= self._most_rows
            if self._task().phase == STOPPING or (is_struck and self._fault.outcome == "stop"):
                end_server()
                return self._stopped(container)
            if is_struck:
                return _End(FAILED, _KILLED, has_output=False)
            time.sleep(_TICK_S)
        return _End(SUCCEED, _DONE) if code == 0 else _End(FAILED, f"job failed: exit code {code}")

    def _stopped(self, container: Container) -> _End:
        self._store.update(self._id, phase=STOPPING)
        container.terminate()
        ends = time.monotonic() + _GRACE_S
        while container.exit_code() is None and time.monotonic() < ends:
            self._check()
            time.sleep(_TICK_S)
        return _End(STOPPED, "", has_output=self._fault.output_after_stop)

    def _ended(self, end: _End) -> Task:
        is_late = end.has_output and self._fault.late_describes > 0
        task = self._store.update(
            self._id, phase=end.phase, reason=end.reason, ended_at=self._now(), is_published=not is_late
        )
        self._store.forget_work(self._id)
        self._around.callbacks.tell(task, self._fault)
        return task

    @property
    def _most_rows(self) -> int | None:
        return self._fault.after_rows if self._fault.outcome in {"kill", "stop"} else None

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        self._wait_until(lambda: time.monotonic() >= until)

    def _wait_for_looks(self) -> None:
        self._wait_until(lambda: self._task().looks >= self._fault.starting_looks)

    def _wait_until(self, condition: Callable[[], bool]) -> None:
        self._check()
        while not condition():
            time.sleep(_TICK_S)
            self._check()

    def _check(self) -> None:
        if self._around.context.stopping.is_set():
            raise Stopped

    def _now(self) -> int:
        return int(self._around.context.clock.now().timestamp())

    def _task(self) -> Task:
        task = self._store.job(self._id)
        if task is None:
            raise KeyError(self._id)
        return task


def _model_in(container: Container) -> str:
    """The model that the task is about: the user's image has it, whatever its name."""
    told = [json_object_in(file.read_bytes()) for file in container.inputs.rglob("task.json")]
    return next((str(each.get("model", "")) for each in told if each), "")


def _rows_in(container: Container) -> int:
    files = (container.output / name for name in ("results.jsonl", "errors.jsonl"))
    return sum(file.read_bytes().count(b"\n") for file in files if file.exists())
