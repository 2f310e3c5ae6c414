"""What the local Bailian remembers: files and batches, as the recorded wire shows them."""

from __future__ import annotations

import hashlib
import uuid
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

BatchWord = Literal[
    "validating", "in_progress", "finalizing", "completed", "failed", "expired", "cancelling", "cancelled"
]
TERMINAL: frozenset[str] = frozenset({"completed", "failed", "expired", "cancelled"})


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class StoredFile(_Frozen):
    """One file; the field order is the recorded wire's."""

    id: str
    object: Literal["file"] = "file"
    bytes: int
    filename: str
    purpose: str
    status: Literal["processed"] = "processed"
    created_at: int


class BatchFinding(_Frozen):
    """One reason why the input file was refused; ``line`` counts from 1."""

    code: str
    message: str
    param: str | None = None
    line: int | None = None


class BatchFindings(_Frozen):
    """The value of ``errors`` of a batch that failed validation."""

    object: Literal["list"] = "list"
    data: tuple[BatchFinding, ...]


class RequestCounts(_Frozen):
    """The service's own counts, which call failing rows in the output file completed."""

    total: int = 0
    completed: int = 0
    failed: int = 0


class Batch(_Frozen):
    """One batch; the field order is the recorded wire's.

    ``expires_at`` is null in every recording, ``cancelling_at`` until the batch is cancelled;
    ``finalizing_at`` always equals ``completed_at``.
    """

    id: str
    object: Literal["batch"] = "batch"
    endpoint: str
    errors: BatchFindings | None = None
    input_file_id: str
    completion_window: str
    status: BatchWord = "validating"
    output_file_id: str | None = None
    error_file_id: str | None = None
    created_at: int
    in_progress_at: int | None = None
    expires_at: None = None
    finalizing_at: int | None = None
    completed_at: int | None = None
    failed_at: int | None = None
    expired_at: int | None = None
    cancelling_at: int | None = None
    cancelled_at: int | None = None
    request_counts: RequestCounts = Field(default_factory=RequestCounts)
    metadata: dict[str, str] | None = None

    @property
    def name(self) -> str:
        return (self.metadata or {}).get("ds_name", "")

    @property
    def callback_url(self) -> str | None:
        return (self.metadata or {}).get("ds_batch_finish_callback") or None

    @property
    def is_terminal(self) -> bool:
        return self.status in TERMINAL


def new_batch_id() -> str:
    return f"batch_{uuid.uuid4()}"


def new_file_id() -> str:
    return f"file-batch-{uuid.uuid4().hex[:24]}"


def result_file_id(batch_id: str, kind: str) -> str:
    """The id of a batch's output or error file; error files carry the output prefix too.

    Derived, not random: a batch whose end was interrupted finds its own files again.
    """
    return f"file-batch_output-{hashlib.sha256(f'{batch_id}/{kind}'.encode()).hexdigest()[:24]}"
