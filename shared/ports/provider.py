"""A cloud's batch service as the use cases need it: its calls, and the batches that they are about."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import NewType, Protocol

BatchId = NewType("BatchId", str)


class BatchStatus(Enum):
    """What a batch may be doing; an unknown word of the provider is ``UNKNOWN``, which is never an end."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"

    @property
    def is_terminal(self) -> bool:
        """Whether nothing more will come from this batch."""
        return self in _TERMINAL


_TERMINAL = frozenset({BatchStatus.COMPLETED, BatchStatus.FAILED, BatchStatus.EXPIRED, BatchStatus.CANCELLED})


class FailedFor(Enum):
    """Why a batch failed before any row ran, in our own words; adapters read the provider's.

    ``QUOTA`` passes by itself; ``ACCOUNT`` needs somebody to act; ``ROWS`` is everything else.
    """

    QUOTA = "quota"
    ACCOUNT = "account"
    ROWS = "rows"


@dataclass(frozen=True)
class BatchProblem:
    """One reason why a batch failed validation.

    ``line`` counts the lines of the submitted shard from 1. ``is_file_wide``: It is wrong with
    every row, whichever line is named.
    """

    code: str
    message: str
    line: int | None = None
    param: str | None = None
    is_file_wide: bool = False


@dataclass(frozen=True)
class BatchState:
    """What the provider says of one batch, at one moment.

    ``result_files`` are the provider's own ids of the files that hold result lines (answers and errors alike);
    ``input_file`` is the id of what was uploaded, if anything was. Counts are the provider's and may be wrong.
    ``failed_for`` says why a batch failed; ``trouble`` is the message's code if somebody must act.
    """

    batch_id: BatchId
    status: BatchStatus
    raw_status: str
    input_file: str | None = None
    result_files: tuple[str, ...] = ()
    problems: tuple[BatchProblem, ...] = ()
    failed_for: FailedFor | None = None
    trouble: str = ""
    requests_total: int = 0
    requests_completed: int = 0
    requests_failed: int = 0
    name: str = ""


@dataclass(frozen=True)
class ProviderFile:
    """One file in the account's file store, which may be anybody's.

    Attributes:
        created_at: The provider's time, UTC.
        input_of: The name of the batch for which it may have been uploaded; ``""`` if for none.
        result_of: The batch whose result it may be.
    """

    file_id: str
    name: str
    created_at: datetime
    size_bytes: int
    input_of: str = ""
    result_of: BatchId | None = None


@dataclass(frozen=True)
class BatchRequest:
    """All that a provider needs to start one batch for one shard and attempt.

    Attributes:
        name: Deterministic, made of job, attempt and shard; ``BatchProvider.find`` finds the batch by it.
        object_key: Where the request lines are in the bucket, for providers that read them from there.
        size_bytes: Their size, for providers to which they are uploaded.
        open_lines: Opens the request lines as a stream of byte chunks; may be called more than once.
        callback_url: Told to the provider if it knows callbacks; ``None`` where there is none.
    """

    name: str
    object_key: str
    size_bytes: int
    open_lines: Callable[[], Iterator[bytes]]
    endpoint: str
    model: str
    completion_window: timedelta
    description: str = ""
    callback_url: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


class BatchProvider(Protocol):
    """A cloud's batch inference service.

    Every method may raise ``TransientError`` (429, 5xx, time-outs), ``ConfigurationError`` (key, region, money)
    or ``ProviderRejected``.
    """

    def submit(self, request: BatchRequest) -> BatchId:
        """Stage the request lines and create one batch. Not idempotent: ``find`` first when in doubt.

        Raises:
            OutcomeUnknown: The batch may exist all the same.
            TransientError: Anything else that may pass; the batch was certainly not created.
        """

    def find(self, name: str) -> BatchId | None:
        """The newest batch that was created under exactly this name, if the provider lists one."""

    def status(self, batch_id: BatchId) -> BatchState | None:
        """The batch now, or ``None`` if the provider does not know it (it may be too new to be seen)."""

    def results(self, state: BatchState) -> Iterator[bytes]:
        """The result lines of all result files, without line ends, in no order."""

    def cancel(self, batch_id: BatchId) -> None: ...

    def clean_up(self, state: BatchState) -> None:
        """Delete the provider's files of this batch; no error if they are gone."""

    def unused_files(self) -> Iterator[ProviderFile]:
        """The account's files, inputs and results, but for those that a batch reads which is listed as unfinished.

        Other people's files are among them. A file whose batch is not listed (yet) is, too: judge by its name and age.
        """

    def delete_file(self, file_id: str) -> None:
        """Delete one file; no error if it is gone."""
