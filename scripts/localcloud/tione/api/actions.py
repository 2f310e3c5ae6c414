"""The actions by name: each family has the same ones, batch tasks one more."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from scripts.localcloud.actions.forms import Params
from scripts.localcloud.tione.api.creation import create
from scripts.localcloud.tione.api.families import BATCH, TRAINING, Names
from scripts.localcloud.tione.api.listing import list_tasks
from scripts.localcloud.tione.api.refusals import no_action, not_started, wrong_state
from scripts.localcloud.tione.api.service import Habit, TioneService
from scripts.localcloud.tione.tasks.task import NOT_STARTED, RUNNING, STOPPING

# ``None``: the answer is lost.
Result = dict[str, Any] | None
_Action = Callable[[TioneService, Names, Params], Result]


def action_of(service: TioneService, name: str) -> Callable[[Params], Result]:
    """What the name stands for.

    Raises:
        Refusal: Nothing, or nothing any longer.
    """
    found = _ACTIONS.get(name)
    if found is None or (found[1] is BATCH and Habit.BATCH_WITHDRAWN in service.habits):
        raise no_action(name)
    act, names = found
    return partial(act, service, names)


def _create(service: TioneService, names: Names, params: Params) -> Result:
    task, is_lost = create(service, names, params)
    return None if is_lost else {names.id: task.id}


def _describe(service: TioneService, names: Names, params: Params) -> Result:
    return {names.detail(): service.described(names, service.named(names, params))}


def _instances(service: TioneService, names: Names, params: Params) -> Result:
    task = service.named(names, params)
    shown = {"BatchTaskInstanceId": f"{task.id}-1", "Status": task.phase.lower()}
    return {"BatchInstances": [shown] if task.started_at else []}


def _stop(service: TioneService, names: Names, params: Params) -> Result:
    with service.store.lock:
        task = service.look(service.named(names, params))
        if task.phase in NOT_STARTED:
            raise not_started(task.id)
        if task.phase not in {RUNNING, STOPPING}:
            raise wrong_state(task.id, task.phase)
        service.store.update(task.id, phase=STOPPING)
    return {}


def _delete(service: TioneService, names: Names, params: Params) -> Result:
    """What a delete does to a task that runs is unknown: it is refused. The files stay."""
    with service.store.lock:
        task = service.named(names, params)
        if not task.is_terminal:
            raise wrong_state(task.id, task.phase)
        service.store.update(task.id, is_deleted=True)
    return {}


def _of(names: Names) -> dict[str, tuple[_Action, Names]]:
    word = names.word
    return {
        f"Create{word}Task": (_create, names),
        f"Describe{word}Task": (_describe, names),
        f"Describe{word}Tasks": (list_tasks, names),
        f"Stop{word}Task": (_stop, names),
        f"Delete{word}Task": (_delete, names),
    }


_ACTIONS = {**_of(BATCH), **_of(TRAINING), "DescribeBatchTaskInstances": (_instances, BATCH)}
