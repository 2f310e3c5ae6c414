"""What we read of TI-ONE's answers and of the runner's manifest: anything may be missing or null.

https://cloud.tencent.com/document/product/851/80180
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_pascal

from shared.ports.provider import BatchId, BatchProblem, BatchState, BatchStatus, FailedFor
from shared.problems.problem import Problem
from shared.problems.render import render_both
from shared.providers.tione.troubles import ACCOUNT_WITHOUT_MONEY, why_nothing_ran

# Both APIs' words.
_STATUSES = {
    "INIT": BatchStatus.PENDING,
    "SUBMITTING": BatchStatus.PENDING,
    "PENDING": BatchStatus.PENDING,
    "STARTING": BatchStatus.PENDING,
    "RUNNING": BatchStatus.RUNNING,
    "STOPPING": BatchStatus.RUNNING,
    "SUCCEED": BatchStatus.COMPLETED,
    "FAILED": BatchStatus.FAILED,
    "SUBMIT_FAILED": BatchStatus.FAILED,
    # Whoever stopped it: its open rows are sent again, unless their job is cancelled.
    "STOPPED": BatchStatus.EXPIRED,
}
_SUBMIT_FAILED = "SUBMIT_FAILED"
# The runner's reason if its rows had all the time that they were given.
_DEADLINE = "deadline"
# The runner's reason, and the code of the message about it: the server lists other models alone.
MODEL_NOT_SERVED = "model_not_served"
TASK_FAILED = "task_failed"
# It stands in every open row.
_MAX_REASON_CHARS = 200


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_pascal)


class CosPlace(_Answer):
    """A folder in COS."""

    bucket: str | None = None
    paths: tuple[str, ...] | None = None

    @property
    def folder(self) -> str:
        """Without a slash before it, and with one at its end; ``""`` if none is told."""
        path = (self.paths[0] if self.paths else "").strip("/")
        return f"{path}/" if path else ""


class _Mount(_Answer):
    place: CosPlace | None = Field(None, alias="COSSource")


class _Detail(_Answer):
    status: str | None = None
    failure_reason: str | None = None
    create_time: str | None = None
    start_time: str | None = None
    outputs: tuple[_Mount, ...] | None = None
    output: CosPlace | None = None


@dataclass(frozen=True)
class Task:
    """A task of either API; ``status`` may be any word.

    ``created_at`` is TI-ONE's text: of no known zone, but of one form, so that texts can be
    compared.
    """

    id: str
    name: str
    status: str
    failure_reason: str = ""
    created_at: str = ""
    has_started: bool = False
    output: CosPlace = field(default_factory=CosPlace)

    @property
    def is_terminal(self) -> bool:
        return _STATUSES.get(self.status, BatchStatus.UNKNOWN).is_terminal


def read_task(told: Mapping[str, Any], id_field: str, name_field: str) -> Task:
    """Read a detail or an item of a list.

    Raises:
        KeyError: It has no id.
        ValidationError: A field has another type than its page says.
    """
    detail = _Detail.model_validate(told)
    mounts = [mount.place for mount in detail.outputs or () if mount.place]
    return Task(
        id=str(told[id_field]),
        name=str(told.get(name_field) or ""),
        status=detail.status or "",
        failure_reason=detail.failure_reason or "",
        created_at=detail.create_time or "",
        has_started=bool(detail.start_time),
        output=detail.output or (mounts[0] if mounts else CosPlace()),
    )


class ResultFile(BaseModel):
    """One file of results, as the runner has written it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    bytes: int
    sha256: str
    lines: int = 0


class Manifest(BaseModel):
    """What the runner writes last: without it, nothing is known to be complete."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    format: int
    name: str
    input_sha256: str
    complete: bool
    reason: str = ""
    model: str = ""
    results: ResultFile
    errors: ResultFile

    @property
    def lines(self) -> int:
        return self.results.lines + self.errors.lines


def parse_manifest(content: bytes) -> Manifest | None:
    """The manifest, or ``None`` if it is torn, or of a later form."""
    try:
        manifest = Manifest.model_validate_json(content)
    except ValidationError:
        return None
    return manifest if manifest.format == 1 else None


def state_of(task: Task, *, manifest: Manifest | None, result_files: tuple[str, ...]) -> BatchState:
    """Our words for a task; what lies in COS is the caller's to say.

    Args:
        task: As TI-ONE tells it.
        manifest: The runner's, if it is valid.
        result_files: The files of results that are there.
    """
    end = _end_by(task, manifest) if manifest else _end_without(task, has_run=bool(result_files))
    is_expired = end.status is BatchStatus.EXPIRED
    told = _told(task, manifest)
    was_in_time = manifest is not None and manifest.reason == _DEADLINE
    has_late_output = is_expired and not manifest and task.status != _SUBMIT_FAILED
    promised = manifest.lines if manifest and task.is_terminal else 0
    return BatchState(
        batch_id=BatchId(task.id),
        status=end.status,
        raw_status=told,
        result_files=result_files,
        problems=(end.problem,) if end.problem else (),
        failed_for=end.failed_for,
        broken_off=told if is_expired and not was_in_time else "",
        trouble=end.trouble if end.failed_for is FailedFor.ACCOUNT else "",
        requests_completed=manifest.results.lines if manifest else None,
        requests_failed=manifest.errors.lines if manifest else None,
        # Whether output is copied after a stop or a failure stands nowhere; so it may come late.
        lines_promised=None if has_late_output else promised,
        name=task.name,
    )


class _End(NamedTuple):
    """How far a task is; ``failed_for`` only if none of its rows was asked."""

    status: BatchStatus
    failed_for: FailedFor | None = None
    trouble: str = ""
    problem: BatchProblem | None = None


def _end_by(task: Task, manifest: Manifest) -> _End:
    """The runner's word on rows counts, whatever became of its container."""
    if not task.is_terminal:
        return _End(_STATUSES.get(task.status, BatchStatus.UNKNOWN))
    if manifest.reason == MODEL_NOT_SERVED and not manifest.lines:
        # It would be so again, and each machine costs.
        return _End(BatchStatus.FAILED, FailedFor.ROWS, problem=_not_served(manifest.model))
    return _End(BatchStatus.COMPLETED if manifest.complete else BatchStatus.EXPIRED)


def _end_without(task: Task, *, has_run: bool) -> _End:
    """By TI-ONE's word alone."""
    status = _STATUSES.get(task.status, BatchStatus.UNKNOWN)
    if status is not BatchStatus.FAILED:
        return _End(status)
    trouble = "" if has_run or task.has_started else why_nothing_ran(task.failure_reason)
    failed_for = _failed_for(trouble)
    if failed_for is None:
        return _End(BatchStatus.EXPIRED)
    return _End(status, failed_for, trouble, BatchProblem(TASK_FAILED, task.failure_reason))


def _not_served(model: str) -> BatchProblem:
    said = render_both(Problem(MODEL_NOT_SERVED, values={"model": model}))
    return BatchProblem(MODEL_NOT_SERVED, said, is_file_wide=True)


def _failed_for(trouble: str) -> FailedFor | None:
    """``None``: its rows are sent again as those of a task that was stopped."""
    if not trouble:
        return None
    return FailedFor.ACCOUNT if trouble == ACCOUNT_WITHOUT_MONEY else FailedFor.QUOTA


def _told(task: Task, manifest: Manifest | None) -> str:
    """For the record of the outcome: TI-ONE's word, and why rows are open."""
    reason = manifest.reason if manifest else ""
    if not reason and not manifest and task.status in {"FAILED", _SUBMIT_FAILED}:
        reason = task.failure_reason
    return f"{task.status} ({reason[:_MAX_REASON_CHARS]})" if reason else task.status
