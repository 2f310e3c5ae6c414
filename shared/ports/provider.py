"""The port of a cloud's batch service: its calls, and the batches that they are about.

A provider implements it in its own package under ``shared/providers/``, whose README says where it
is registered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import NewType, Protocol

BatchId = NewType("BatchId", str)


class BatchStatus(Enum):
    """What a batch may be doing. An unknown word is ``UNKNOWN``, which is never an end."""

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

    ``line`` counts the lines of the submitted shard from 1; ``custom_id`` names the row instead.
    ``is_file_wide``: It is wrong with every row, whichever line is named.
    """

    code: str
    message: str
    line: int | None = None
    param: str | None = None
    is_file_wide: bool = False
    custom_id: str | None = None


@dataclass(frozen=True)
class BatchState:
    """What the provider says of one batch at one moment.

    ``result_files`` are the provider's ids of the files with result lines, answers and errors
    alike. ``input_file`` is the id of the uploaded file, if any. The counts are the provider's,
    ``None`` where it tells none, and may be wrong. ``failed_for`` says why a batch failed.
    ``broken_off`` says, in the provider's words, why an expired one ended before its time.
    ``trouble`` is the code of the message if somebody must act, so that the rows of a failed batch
    run, or that a running one goes on; ``problems`` then has the provider's words.
    ``lines_promised``: An ended batch wrote at least so many result lines; those that are not there
    are late. Of a completed one, every row has a line, and of one that does not tell (``None``),
    every row may have one.
    """

    batch_id: BatchId
    status: BatchStatus
    raw_status: str
    input_file: str | None = None
    result_files: tuple[str, ...] = ()
    problems: tuple[BatchProblem, ...] = ()
    failed_for: FailedFor | None = None
    broken_off: str = ""
    trouble: str = ""
    requests_completed: int | None = None
    requests_failed: int | None = None
    lines_promised: int | None = 0
    name: str = ""


@dataclass(frozen=True)
class ProviderFile:
    """One file in the account's file store; it may be anybody's.

    Attributes:
        created_at: The provider's time, UTC.
        input_of: The batch's name if the file may be its input, else ``""``.
        result_of: The batch whose result it may be.
        batch_name: The name of the batch whose result it may be if its place tells it, else ``""``.
        is_read: Whether an unfinished batch reads it, where the list left that open. It may cost a
            call: ask it last.
    """

    file_id: str
    name: str
    created_at: datetime
    size_bytes: int
    input_of: str = ""
    result_of: BatchId | None = None
    batch_name: str = ""
    is_read: Callable[[], bool] = field(default=lambda: False, compare=False)


@dataclass(frozen=True)
class BatchRequest:
    """What a provider needs to start one batch for one attempt.

    Attributes:
        name: Deterministic: made of job, attempt and shard. ``BatchProvider.find`` looks for it.
        object_key: The request lines' key in the bucket, for providers that read them from there.
        size_bytes: Their size, for providers to which they are uploaded.
        crc64: Their checksum, if the store tells it, as that of a head.
        open_lines: Opens the request lines as chunks of bytes; may be called more than once.
        callback_url: For providers that know callbacks; ``None`` if there is none.
    """

    name: str
    object_key: str
    size_bytes: int
    open_lines: Callable[[], Iterator[bytes]]
    endpoint: str
    model: str
    completion_window: timedelta
    crc64: int | None = None
    description: str = ""
    callback_url: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


class BatchProvider(Protocol):
    """A cloud's batch inference service.

    Every method may raise ``TransientError`` (429, 5xx, time-outs), ``ConfigurationError`` (key,
    region, money) or ``ProviderRejected``.
    """

    def submit(self, request: BatchRequest) -> BatchId:
        """Stage the request lines and create one batch. Not idempotent: if in doubt, ``find``.

        Raises:
            OutcomeUnknown: The batch may exist.
            TransientError: Anything else that may pass; no batch was created.
        """

    def find(self, name: str, object_key: str = "") -> BatchId | None:
        """The newest batch of exactly this name, if the provider lists one.

        ``object_key`` is that of its request, for providers that read it there.
        """

    def status(self, batch_id: BatchId) -> BatchState | None:
        """The batch now, or ``None`` if the provider does not know it; it may be too new."""

    def results(self, state: BatchState) -> Iterator[bytes]:
        """The result lines of all result files, without line ends, in no order."""

    def cancel(self, batch_id: BatchId) -> None: ...

    def clean_up(self, state: BatchState) -> None:
        """Delete the provider's files of this batch; no error if they are gone."""

    def unused_files(self) -> Iterator[ProviderFile]:
        """The account's files, inputs and results, except what unfinished batches read.

        Other people's files are among them. So are files of batches that are not listed (yet), and
        of some the file itself must be asked: judge by name and age, then by ``is_read``.
        """

    def delete_file(self, file_id: str) -> None:
        """Delete one file; no error if it is gone."""
