"""``CreateBatchTask`` and ``CreateTrainingTask``."""

from __future__ import annotations

import re

from scripts.localcloud.actions.forms import Params
from scripts.localcloud.tione.api.families import BatchCreation, Names, TrainingCreation
from scripts.localcloud.tione.api.refusals import invalid, name_taken, no_such_path
from scripts.localcloud.tione.api.service import Habit, TioneService, read
from scripts.localcloud.tione.tasks.task import INIT, CosPath, Task, new_task_id

_NAME = re.compile(r"[a-zA-Z0-9\u4e00-\u9fff_-]{1,60}")
_MOST_DATA_CONFIGS = 10
# What each way to pay must be told, which a description does not repeat by these names.
_RESOURCES = {"PREPAID": {"Cpu", "Memory"}, "POSTPAID_BY_HOUR": {"InstanceType"}}
_NOT_REPEATED = {"batch_task_name", "name_", "outputs", "output_", "tags", "callback_url", "code_package"}


def create(service: TioneService, names: Names, params: Params) -> tuple[Task, bool]:
    """The new task, and whether its answer is to be lost.

    Raises:
        Refusal: Of the request, or of a second task of its name.
    """
    asked = read(names.creation, params)
    _check(asked, service)
    task = _task_of(asked, names, service.now)
    with service.store.lock:
        if Habit.UNIQUE_NAMES in service.habits and _is_taken(task, service):
            raise name_taken(task.name)
        fault = service.faults.take_for_batch(task.name)
        service.store.add(task, fault, family=names.family)
    service.take(task)
    return task, fault.cut_connection


def _task_of(asked: BatchCreation | TrainingCreation, names: Names, now: int) -> Task:
    details = asked.model_dump(by_alias=True, mode="json", exclude=_NOT_REPEATED, exclude_unset=True)
    code = asked.code()
    if code:
        # So it comes back, also where it was sent as CodePackage.
        details["CodePackagePath"] = code.model_dump(by_alias=True, mode="json")
    return Task(
        id=new_task_id(names.family),
        family=names.family,
        phase=INIT,
        name=asked.name(),
        command=asked.command(),
        code=code,
        inputs=asked.data_configs,
        output=asked.output(),
        callback_url=asked.callback_url,
        tags=asked.tags,
        details=details,
        created_at=now,
    )


def _check(asked: BatchCreation | TrainingCreation, service: TioneService) -> None:
    if not _NAME.fullmatch(asked.name()):
        raise invalid("Name", "letters, Chinese characters, digits, - and _, at most 60")
    _check_resources(asked)
    if len(asked.data_configs) > _MOST_DATA_CONFIGS:
        raise invalid("DataConfigs", f"more than {_MOST_DATA_CONFIGS}")
    if not asked.image_info and not isinstance(asked, TrainingCreation):
        raise invalid("ImageInfo", "there is no image and no model")
    if not asked.command().strip():
        raise invalid("StartCmd", "there is none")
    for path in filter(
        None, (asked.code(), asked.output(), *(each.cos_source for each in asked.data_configs))
    ):
        _check_path(path, service)


def _check_resources(asked: BatchCreation | TrainingCreation) -> None:
    needed = _RESOURCES.get(asked.charge_type)
    if needed is None:
        raise invalid("ChargeType", "PREPAID or POSTPAID_BY_HOUR")
    if asked.charge_type == "PREPAID" and not asked.resource_group_id:
        raise invalid("ResourceGroupId", "PREPAID needs one")
    for each in asked.resources():
        if missing := needed - each.keys():
            raise invalid("ResourceConfigInfo", f"{asked.charge_type} needs {', '.join(sorted(missing))}")


def _check_path(path: CosPath, service: TioneService) -> None:
    """The folder must be there, if only as an empty object of its own name."""
    if len(path.paths) != 1 or not path.paths[0].endswith("/"):
        raise invalid("Paths", "exactly one, which ends with /")
    bucket, prefix = path.folder
    if path.region != service.region() or not service.objects.under(bucket, prefix):
        raise no_such_path(f"{bucket}/{prefix}")


def _is_taken(task: Task, service: TioneService) -> bool:
    return any(
        other.name == task.name and not other.is_deleted for other in service.store.jobs(family=task.family)
    )
