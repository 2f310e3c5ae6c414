"""``CreateBatchInferenceJob`` (https://www.volcengine.com/docs/82379/1339603)."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from scripts.localcloud.actions.forms import Params
from scripts.localcloud.actions.refusal import Refusal
from scripts.localcloud.ark.api.parameters import Parameters, read_parameters
from scripts.localcloud.ark.api.refusals import (
    dry_run_passed,
    input_in_use,
    invalid,
    too_many_created,
)
from scripts.localcloud.ark.api.service import ArkService
from scripts.localcloud.ark.jobs.job import Job, Location, Tag, new_job_id

_NAME = re.compile(r"[a-zA-Z0-9\u4e00-\u9fff_-]{1,200}")
_WINDOW = re.compile(r"([1-9]|1[0-9]|2[0-8])d")
_MAX_DESCRIPTION_CHARS = 300
_WEEK_S = int(timedelta(days=7).total_seconds())
_DAY_S = int(timedelta(days=1).total_seconds())


class _Foundation(Parameters):
    name: str
    model_version: str = ""


class _ModelReference(Parameters):
    foundation_model: _Foundation | None = None
    custom_model_id: str = ""


class _Creation(Parameters):
    name: str
    model_reference: dict[str, Any]
    input_file_tos_location: Location
    output_dir_tos_location: Location
    description: str = ""
    project_name: str = "default"
    completion_window: str = "28d"
    tags: tuple[Tag, ...] = ()
    dry_run: bool = False


class _Labels(Parameters):
    name: str | None = None
    description: str | None = None


def create(service: ArkService, params: Params) -> tuple[Job, bool]:
    """The new job, and whether its answer is to be lost.

    Raises:
        Refusal: Of the request, by a quota, or because an active job reads the same input.
    """
    creation = read_parameters(_Creation, params)
    _check(creation, service)
    with service.store.lock:
        _check_quotas(creation, service)
        if creation.dry_run:
            raise dry_run_passed()
        job = _job_of(creation, service.now)
        fault = service.faults.take_for_batch(job.name)
        service.store.add(job, fault)
    service.take(job)
    return job, fault.cut_connection


def labels_in(params: Params, job: Job) -> dict[str, str]:
    """What a job is called from now on.

    Raises:
        Refusal: It cannot be called so.
    """
    given = read_parameters(_Labels, params)
    name = job.name if given.name is None else given.name
    description = job.description if given.description is None else given.description
    _check_labels(name, description)
    return {"name": name, "description": description}


def _check_labels(name: str, description: str) -> None:
    if not _NAME.fullmatch(name):
        raise invalid("Name", "letters, Chinese characters, digits, - and _, at most 200")
    if len(description) > _MAX_DESCRIPTION_CHARS:
        raise invalid("Description", f"longer than {_MAX_DESCRIPTION_CHARS} characters")


def _check(creation: _Creation, service: ArkService) -> None:
    _check_labels(creation.name, creation.description)
    if not _WINDOW.fullmatch(creation.completion_window):
        raise invalid("CompletionWindow", "1d to 28d")
    _check_model(creation.model_reference)
    if not creation.output_dir_tos_location.object_key.endswith("/"):
        raise invalid("OutputDirTosLocation", "the key must end with /")
    _check_places(creation, service)


def _check_model(reference: dict[str, Any]) -> None:
    given = read_parameters(_ModelReference, reference)
    if bool(given.foundation_model) == bool(given.custom_model_id):
        raise invalid("ModelReference", "exactly one of FoundationModel and CustomModelId")
    name = given.foundation_model.name if given.foundation_model else given.custom_model_id
    if not name or name.startswith(("no-such-", "ep-")):
        raise Refusal(404, "InvalidEndpointOrModel.NotFound", f"The model {name} does not exist.")


def _check_places(creation: _Creation, service: ArkService) -> None:
    # Public code matches these (OperationDenied.InputFileTosLocation).
    if not service.objects.exists(*creation.input_file_tos_location.place):
        message = "The input file does not exist or cannot be read."
        raise Refusal(400, "OperationDenied.InputFileTosLocation", message)
    wants_output = service.limits.wants_output_prefix
    if wants_output and not service.objects.exists(*creation.output_dir_tos_location.place):
        message = "The output directory does not exist or cannot be written."
        raise Refusal(400, "OperationDenied.OutputDirTosLocation", message)


def _check_quotas(creation: _Creation, service: ArkService) -> None:
    for job in service.store.unfinished():
        service.in_time(job)
    project = creation.project_name
    active = service.store.active_reader(project, creation.input_file_tos_location)
    if active:
        raise input_in_use(active)
    most = service.limits.creates_in_7_days
    if service.store.created_since(project, service.now - _WEEK_S) >= most:
        raise too_many_created(most)


def _job_of(creation: _Creation, now: int) -> Job:
    days = int(creation.completion_window.removesuffix("d"))
    return Job(
        id=new_job_id(now),
        name=creation.name,
        description=creation.description,
        project_name=creation.project_name,
        model_reference=creation.model_reference,
        input_file=creation.input_file_tos_location,
        output_dir=creation.output_dir_tos_location,
        window_days=days,
        tags=creation.tags,
        phase_at=now,
        created_at=now,
        updated_at=now,
        expires_at=now + days * _DAY_S,
    )
