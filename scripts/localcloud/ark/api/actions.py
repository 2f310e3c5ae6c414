"""The actions by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from scripts.localcloud.actions.forms import Params
from scripts.localcloud.ark.api.creation import create, labels_in
from scripts.localcloud.ark.api.listing import list_jobs
from scripts.localcloud.ark.api.refusals import dry_run_passed, wrong_state
from scripts.localcloud.ark.api.service import ArkService
from scripts.localcloud.ark.jobs.job import Job

# ``None``: the answer is lost.
Result = dict[str, Any] | None
Action = Callable[[ArkService, Params], Result]

_DAY_S = 24 * 3600


def _create(service: ArkService, params: Params) -> Result:
    job, is_lost = create(service, params)
    return None if is_lost else {"Id": job.id}


def _get(service: ArkService, params: Params) -> Result:
    return service.shown_alone(service.named(params))


def _stop(service: ArkService, params: Params) -> Result:
    """A job that queues has ended at once; one that runs ends soon."""
    with service.store.lock:
        job = service.named(params)
        if job.is_terminal or job.phase == "Terminating":
            raise wrong_state(job.id, job.phase)
        _end_dry_run(params)
        phase = "Terminated" if job.phase == "Queued" else "Terminating"
        service.store.update(job.id, phase=phase, phase_at=service.now, updated_at=service.now)
    return {}


def _resume(service: ArkService, params: Params) -> Result:
    with service.store.lock:
        job = service.named(params)
        if job.phase not in {"Failed", "Terminated"}:
            raise wrong_state(job.id, job.phase)
        now = service.now
        job = service.store.update(
            job.id,
            phase="Queued",
            phase_at=now,
            updated_at=now,
            expires_at=now + job.window_days * _DAY_S,
            message="",
            was_resumed=True,
            is_published=False,
        )
    service.take(job)
    return {"Id": job.id}


def _update(service: ArkService, params: Params) -> Result:
    job = service.named(params)
    labels = labels_in(params, job)
    _end_dry_run(params)
    service.store.update(job.id, **labels, updated_at=service.now)
    return {}


def _delete(service: ArkService, params: Params) -> Result:
    """What a delete does to a job that runs is unknown: it is refused. The files stay."""
    with service.store.lock:
        job: Job = service.named(params)
        if not job.is_terminal:
            raise wrong_state(job.id, job.phase)
        _end_dry_run(params)
        service.store.update(job.id, is_deleted=True)
    return {}


def _end_dry_run(params: Params) -> None:
    if params.get("DryRun") is True:
        raise dry_run_passed()


ACTIONS: Mapping[str, Action] = {
    "CreateBatchInferenceJob": _create,
    "GetBatchInferenceJob": _get,
    "ListBatchInferenceJobs": list_jobs,
    "StopBatchInferenceJob": _stop,
    "ResumeBatchInferenceJob": _resume,
    "UpdateBatchInferenceJob": _update,
    "DeleteBatchInferenceJob": _delete,
}
