"""``CreateBatchInferenceJob`` (https://www.volcengine.com/docs/82379/1339603)."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

from pydantic import ConfigDict, ValidationError

from scripts.localcloud.ark.api.refusals import (
    Refusal,
    dry_run_passed,
    input_in_use,
    invalid,
    missing,
    too_many_created,
)
from scripts.localcloud.ark.api.service import ArkService, Params
from scripts.localcloud.ark.jobs.job import Frozen, Job, Location, Tag, new_job_id

_NAME = re.compile(r"[a-zA-Z0-9\u4e00-\u9fff_-]{1,200}")
_WINDOW = re.compile(r"([1-9]|1[0-9]|2[0-8])d")
_MAX_DESCRIPTION_CHARS = 300
_WEEK_S = int(timedelta(days=7).total_seconds())
_DAY_S = int(timedelta(days=1).total_seconds())


class Creation(Frozen):
    """The body. Unknown fields are ignored: the sample sends its action and account in it, too."""

    model_config = ConfigDict(strict=True, extra="ignore")

    name: str
    model_reference: dict[str, Any]
    input_file_tos_location: Location
    output_dir_tos_location: Location
    description: str = ""
    project_name: str = "default"
    completion_window: str = "28d"
    tags: tuple[Tag, ...] = ()
    dry_run: bool = False


def create(service: ArkService, params: Params) -> tuple[Job, bool]:
    """The new job, and whether its answer is to be lost.

    Raises:
        Refusal: Of the request, by a quota, or because an active job reads the same input.
    """
    creation = _parsed(params)
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


def _parsed(params: Params) -> Creation:
    try:
        return Creation.model_validate_json(json.dumps(params))
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(step) for step in first["loc"])
        raise (missing(field) if first["type"] == "missing" else invalid(field, first["msg"])) from None


def _check(creation: Creation, service: ArkService) -> None:
    if not _NAME.fullmatch(creation.name):
        raise invalid("Name", "letters, Chinese characters, digits, - and _, at most 200")
    if len(creation.description) > _MAX_DESCRIPTION_CHARS:
        raise invalid("Description", f"longer than {_MAX_DESCRIPTION_CHARS} characters")
    if not _WINDOW.fullmatch(creation.completion_window):
        raise invalid("CompletionWindow", "1d to 28d")
    _check_model(creation.model_reference)
    if not creation.output_dir_tos_location.object_key.endswith("/"):
        raise invalid("OutputDirTosLocation", "the key must end with /")
    _check_places(creation, service)


def _check_model(reference: dict[str, Any]) -> None:
    known = {"FoundationModel", "CustomModelId"} & {key for key, value in reference.items() if value}
    if len(known) != 1:
        raise invalid("ModelReference", "exactly one of FoundationModel and CustomModelId")
    foundation = reference.get("FoundationModel") or {}
    name = foundation.get("Name") if "FoundationModel" in known else reference["CustomModelId"]
    if not isinstance(name, str) or name.startswith(("no-such-", "ep-")):
        raise Refusal(404, "InvalidEndpointOrModel.NotFound", f"The model {name} does not exist.")


def _check_places(creation: Creation, service: ArkService) -> None:
    # Public code matches these (OperationDenied.InputFileTosLocation).
    if not service.objects.exists(creation.input_file_tos_location):
        message = "The input file does not exist or cannot be read."
        raise Refusal(400, "OperationDenied.InputFileTosLocation", message)
    wants_output = service.limits.wants_output_prefix
    if wants_output and not service.objects.exists(creation.output_dir_tos_location):
        message = "The output directory does not exist or cannot be written."
        raise Refusal(400, "OperationDenied.OutputDirTosLocation", message)


def _check_quotas(creation: Creation, service: ArkService) -> None:
    for job in service.store.unfinished():
        service.in_time(job)
    project = creation.project_name
    active = service.store.active_reader(project, creation.input_file_tos_location)
    if active:
        raise input_in_use(active)
    most = service.limits.creates_in_7_days
    if service.store.created_since(project, service.now - _WEEK_S) >= most:
        raise too_many_created(most)


def _job_of(creation: Creation, now: int) -> Job:
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
