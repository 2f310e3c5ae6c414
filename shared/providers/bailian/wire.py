"""What we read of Bailian's answers, and nothing more: fields that were ever null are optional."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shared.bucket.attempt import parse_batch_name
from shared.ports.provider import BatchId, BatchProblem, BatchState, BatchStatus, ProviderFile
from shared.providers.bailian.profile import BATCH_ID
from shared.providers.bailian.troubles import IN_OSS, is_file_wide, why_failed, why_waiting

_STATUSES = {
    "validating": BatchStatus.PENDING,
    "in_progress": BatchStatus.RUNNING,
    "finalizing": BatchStatus.RUNNING,
    "cancelling": BatchStatus.RUNNING,
    "completed": BatchStatus.COMPLETED,
    "failed": BatchStatus.FAILED,
    "expired": BatchStatus.EXPIRED,
    "cancelled": BatchStatus.CANCELLED,
}


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class FileAnswer(_Answer):
    """An uploaded file."""

    id: str = Field(min_length=1)


class ListedFile(_Answer):
    """A file as the list shows it; ``created_at`` is Unix time."""

    id: str = Field(min_length=1)
    filename: str | None = None
    bytes: int | None = None
    created_at: AwareDatetime | None = None


class FilePage(_Answer):
    """One page of the list of files."""

    data: tuple[ListedFile, ...] | None = None


class _Counts(_Answer):
    completed: int | None = None
    failed: int | None = None


class _Finding(_Answer):
    code: str | None = None
    message: str | None = None
    param: str | None = None
    line: int | None = None


class _Findings(_Answer):
    data: tuple[_Finding, ...] | None = None


class BatchAnswer(_Answer):
    """A batch; ``status`` may be any word."""

    id: str = Field(min_length=1)
    status: str = ""
    errors: _Findings | None = None
    input_file_id: str | None = None
    output_file_id: str | None = None
    error_file_id: str | None = None
    request_counts: _Counts | None = None
    metadata: dict[str, object] | None = None

    @property
    def name(self) -> str:
        return str((self.metadata or {}).get("ds_name") or "")


class BatchPage(_Answer):
    """One page of the list; ``data`` is null when it is empty."""

    data: tuple[BatchAnswer, ...] | None = None


def state_of(batch: BatchAnswer) -> BatchState:
    counts = batch.request_counts or _Counts()
    status = _STATUSES.get(batch.status, BatchStatus.UNKNOWN)
    problems = tuple(map(_problem_of, (batch.errors.data if batch.errors else None) or ()))
    failed = status is BatchStatus.FAILED
    from_oss = (batch.input_file_id or "").startswith(IN_OSS)
    failed_for, trouble = why_failed(problems, from_oss=from_oss) if failed else (None, "")
    if not status.is_terminal:
        trouble = why_waiting(problems)
    return BatchState(
        batch_id=BatchId(batch.id),
        status=status,
        raw_status=batch.status,
        input_file=batch.input_file_id,
        result_files=tuple(name for name in (batch.output_file_id, batch.error_file_id) if name),
        problems=problems,
        failed_for=failed_for,
        trouble=trouble,
        requests_completed=counts.completed,
        requests_failed=counts.failed,
        name=batch.name,
    )


def _problem_of(finding: _Finding) -> BatchProblem:
    problem = BatchProblem(
        code=finding.code or "unknown",
        message=finding.message or "",
        line=finding.line,
        param=finding.param,
    )
    return replace(problem, is_file_wide=is_file_wide(problem))


def provider_file(file_id: str, name: str, created_at: datetime, size_bytes: int) -> ProviderFile:
    """A listed file. Its name tells what it is: an input has its batch's name, a result its id."""
    stem, dot, suffix = name.rpartition(".")
    if dot and suffix == "jsonl" and parse_batch_name(stem):
        return ProviderFile(file_id, name, created_at, size_bytes, input_of=stem)
    batch_id = re.search(BATCH_ID, name)
    result_of = BatchId(batch_id[0]) if batch_id else None
    return ProviderFile(file_id, name, created_at, size_bytes, result_of=result_of)
