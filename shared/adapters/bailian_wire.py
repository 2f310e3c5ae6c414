"""What we read of Bailian's answers, and nothing more: fields that were ever null are optional."""

from __future__ import annotations

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shared.domain.batches import BatchId, BatchProblem, BatchState, BatchStatus

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
    total: int | None = None
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
    findings = (batch.errors.data if batch.errors else None) or ()
    return BatchState(
        batch_id=BatchId(batch.id),
        status=_STATUSES.get(batch.status, BatchStatus.UNKNOWN),
        raw_status=batch.status,
        input_file=batch.input_file_id,
        result_files=tuple(name for name in (batch.output_file_id, batch.error_file_id) if name),
        problems=tuple(_problem_of(finding) for finding in findings),
        requests_total=counts.total or 0,
        requests_completed=counts.completed or 0,
        requests_failed=counts.failed or 0,
        name=batch.name,
    )


def _problem_of(finding: _Finding) -> BatchProblem:
    return BatchProblem(
        code=finding.code or "unknown",
        message=finding.message or "",
        line=finding.line,
        param=finding.param,
    )
