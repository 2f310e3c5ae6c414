"""What we read of Ark's answers, and nothing more: any field may be missing or null.

https://www.volcengine.com/docs/82379/1339609
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_pascal

from shared.ports.provider import BatchId, BatchProblem, BatchState, BatchStatus, FailedFor
from shared.providers.ark.profile import BATCH_ID
from shared.providers.ark.troubles import (
    custom_id_of,
    is_about_row,
    is_of_system,
    line_of,
    why_failed,
    why_waiting,
)

JOB_ID = re.compile(BATCH_ID)
CHECK_FAILED = "input_check_failed"

# Initializing stands on no page of the API, but is answered.
_STATUSES = {
    "Queued": BatchStatus.PENDING,
    "Initializing": BatchStatus.PENDING,
    "Running": BatchStatus.RUNNING,
    "Terminating": BatchStatus.RUNNING,
    "Completed": BatchStatus.COMPLETED,
    "Failed": BatchStatus.FAILED,
    "Terminated": BatchStatus.CANCELLED,
}
# No page says that a job ends in the very second in which it expires. Rows of one that was stopped
# are not sent again.
_CLOSE_TO_EXPIRY = timedelta(minutes=10)
_TIME = TypeAdapter(datetime)


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_pascal)


class Created(_Answer):
    """The answer to a create."""

    id: str = Field(min_length=1)


class Location(_Answer):
    """An object in TOS, or the place of several."""

    bucket_name: str | None = None
    object_key: str | None = None


class _Status(_Answer):
    phase: str | None = None
    phase_time: str | None = None
    message: str | None = None


class _Counts(_Answer):
    total: int | None = None
    completed: int | None = None
    failed: int | None = None

    @property
    def lines(self) -> int:
        return (self.completed or 0) + (self.failed or 0)


class Job(_Answer):
    """A job; its phase may be any word."""

    id: str = Field(min_length=1)
    name: str | None = None
    status: _Status | None = None
    request_counts: _Counts | None = None
    input_file_tos_location: Location | None = None
    output_dir_tos_location: Location | None = None
    error_file_tos_location: Location | None = None
    create_time: str | None = None
    expire_time: str | None = None

    @property
    def phase(self) -> str:
        return (self.status and self.status.phase) or ""

    @property
    def is_terminal(self) -> bool:
        return _STATUSES.get(self.phase, BatchStatus.UNKNOWN).is_terminal

    @property
    def created_at(self) -> datetime:
        return _time(self.create_time) or datetime.min.replace(tzinfo=timezone.utc)


class JobPage(_Answer):
    """One page of the list."""

    items: tuple[Job, ...] | None = None


def state_of(job: Job, *, input_file: str | None, result_files: Sequence[str]) -> BatchState:
    """Our words for a job; what lies in TOS is the caller's to say."""
    counts = job.request_counts or _Counts()
    status, problem = _status_of(job), _problem_of(job)
    failed_for: FailedFor | None = None
    trouble = "" if status.is_terminal else why_waiting(problem.message)
    if status is BatchStatus.FAILED:
        failed_for, trouble = why_failed(problem.message)
        if _has_passed_check(problem.message, counts.lines or len(result_files), failed_for):
            # The answers there are count; the rows that are left wait in a new batch.
            status, failed_for, trouble = BatchStatus.EXPIRED, None, ""
    return BatchState(
        batch_id=BatchId(job.id),
        status=status,
        raw_status=job.phase,
        input_file=input_file,
        result_files=tuple(result_files),
        problems=(problem,) if failed_for or trouble else (),
        failed_for=failed_for,
        trouble=trouble,
        requests_completed=counts.completed,
        requests_failed=counts.failed,
        lines_promised=_lines_promised(status, counts.completed),
        name=job.name or "",
    )


def _lines_promised(status: BatchStatus, completed: int | None) -> int | None:
    """Whether it counts the failed ones or not, each has a line. A failed check leaves none."""
    is_none = not status.is_terminal or (completed is None and status is BatchStatus.FAILED)
    return 0 if is_none else completed


def _has_passed_check(message: str, lines: int, failed_for: FailedFor) -> bool:
    """``Failed`` says that the check did, or that the system did, then or half-way.

    The counts may be missing; so files with lines tell the same.
    """
    is_system = failed_for is FailedFor.ROWS and is_of_system(message)
    return is_system or (lines > 0 and not is_about_row(message))


def _status_of(job: Job) -> BatchStatus:
    """A stop and the end of the window have one phase; only the times tell them apart."""
    status = _STATUSES.get(job.phase, BatchStatus.UNKNOWN)
    if job.phase == "Terminated" and job.status:
        ended_at, expired_at = _time(job.status.phase_time), _time(job.expire_time)
        if ended_at and expired_at and ended_at >= expired_at - _CLOSE_TO_EXPIRY:
            status = BatchStatus.EXPIRED
    return status


def _problem_of(job: Job) -> BatchProblem:
    message = (job.status and job.status.message) or "Ark gave no reason."
    return BatchProblem(CHECK_FAILED, message, line=line_of(message), custom_id=custom_id_of(message))


def _time(text: str | None) -> datetime | None:
    """A time that we cannot read must not keep a job from ending."""
    try:
        at = _TIME.validate_python(text)
    except ValidationError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=timezone.utc)
