"""What every action works with: the tasks, the storage, the habits and the oddities."""

from __future__ import annotations

import enum
import threading
from collections import Counter
from collections.abc import Callable, Set
from dataclasses import dataclass, field
from typing import Any

from scripts.localcloud.actions.forms import Form, Params, WrongParameter, read_form
from scripts.localcloud.actions.objects import Objects
from scripts.localcloud.tione.api.families import Names, Parameters
from scripts.localcloud.tione.api.refusals import no_such_task, refused
from scripts.localcloud.tione.tasks.container import Container
from scripts.localcloud.tione.tasks.output import publish
from scripts.localcloud.tione.tasks.task import NOT_STARTED, Task, wire_time
from scripts.localcloud.tione.tasks.task_faults import TaskFault, TioneFaults
from scripts.localcloud.tione.tasks.task_store import TaskStore
from shared.ports.clock import Clock


class Habit(enum.Enum):
    """What TI-ONE may do, or is said to do; it is switched on by name."""

    BATCH_WITHDRAWN = "the actions of batch tasks are no actions any longer"
    UNIQUE_NAMES = "a second task of a name is refused"


@dataclass(frozen=True)
class TioneService:
    """What actions share. Some oddities last for a number of looks, which are counted here."""

    store: TaskStore
    objects: Objects
    faults: TioneFaults
    habits: Set[Habit]
    region: Callable[[], str]
    clock: Clock
    take: Callable[[Task], None]
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _looks: dict[str, Counter[str]] = field(default_factory=dict)

    @property
    def now(self) -> int:
        return int(self.clock.now().timestamp())

    def named(self, names: Names, params: Params) -> Task:
        """The task that the family's id names.

        Raises:
            Refusal: There is no id, or no such task of the family.
        """
        task_id = read(_IdOf[names.family], params).id
        task = self.store.job(task_id)
        if task is None or task.is_deleted or task.family != names.family:
            raise no_such_task(task_id)
        return task

    def look(self, task: Task) -> Task:
        """The task, once more described or asked to stop before it runs."""
        if task.phase not in NOT_STARTED:
            return task
        with self.store.lock:
            current = self.store.job(task.id) or task
            return self.store.update(task.id, looks=current.looks + 1)

    def described(self, names: Names, task: Task) -> dict[str, Any]:
        """What describing the one task shows; late output comes by that."""
        fault = self.store.fault_of(task.id)
        task = self._with_late_output(self.look(task), fault)
        shown = shown_in_lists(names, task) | task.details
        if fault.odd_status and self.count("odd", task) <= fault.odd_status_looks:
            shown["Status"] = fault.odd_status
        return shown

    def _with_late_output(self, task: Task, fault: TaskFault) -> Task:
        if not task.is_terminal or task.is_published or self.count("ended", task) <= fault.late_describes:
            return task
        with self.store.lock:  # somebody else may describe it at this moment
            task = self.store.job(task.id) or task
            if not task.is_published:
                publish(Container(self.store.folder_of(task.id)).output, task.output, self.objects, fault)
                task = self.store.update(task.id, is_published=True)
                self.store.forget_work(task.id)
            return task

    def count(self, look: str, task: Task) -> int:
        with self._lock:
            looks = self._looks.setdefault(look, Counter())
            looks[task.id] += 1
            return looks[task.id]


def shown_in_lists(names: Names, task: Task) -> dict[str, Any]:
    """A task as a list shows it; with one's own details, as describing it does."""
    ran_s = (task.ended_at or 0) - (task.started_at or 0) if task.started_at and task.ended_at else 0
    return {
        names.id: task.id,
        names.name: task.name,
        "Status": names.phases.get(task.phase, task.phase),
        "FailureReason": task.reason,
        **names.shown_output(task.output),
        "Tags": list(task.tags),
        "CreateTime": wire_time(task.created_at),
        "StartTime": wire_time(task.started_at),
        "EndTime": wire_time(task.ended_at),
        "RuntimeInSeconds": ran_s,
        "ChargeStatus": "NULL" if task.is_terminal else "BILLING",
        "LatestInstanceId": f"{task.id}-1" if task.started_at else None,
    }


def read(form: type[Form], params: Params) -> Form:
    """The parameters by their form.

    Raises:
        Refusal: In the words that Tencent's clouds have in common.
    """
    try:
        return read_form(form, params)
    except WrongParameter as wrong:
        codes = {"missing": "MissingParameter", "extra_forbidden": "UnknownParameter"}
        code = codes.get(wrong.kind, "InvalidParameter")
        raise refused(code, f"The parameter {wrong.field}: {wrong}") from None


class _BatchId(Parameters):
    batch_task_id: str

    @property
    def id(self) -> str:
        return self.batch_task_id


class _TrainingId(Parameters):
    id: str


_IdOf: dict[str, type[_BatchId] | type[_TrainingId]] = {"batch": _BatchId, "training": _TrainingId}
