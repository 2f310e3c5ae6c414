"""The objects under ``jobs/``: what Batchdrop remembers of a job, as frozen models that are JSON on disk."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from pydantic import Field, JsonValue

from shared.bucket.attempt import Attempt, JobId
from shared.bucket.base import FIRST_PROVIDER, Record, RecordPart
from shared.bucket.keys import work_key
from shared.bucket.tickets import RunningTicket, WaitingFor


class PlannedShard(RecordPart):
    """Consecutive rows of the job that fit one batch. ``requests`` <= ``rows``: bad rows are kept, not sent."""

    shard: int
    rows: int
    requests: int
    size_bytes: int
    rows_key: str
    requests_key: str


class Source(RecordPart):
    """The dropped file and its recipe, each at the version that was read."""

    bucket: str
    key: str
    etag: str
    size_bytes: int
    dropped_at: datetime
    seen_at: datetime | None = None
    recipe_key: str | None = None
    recipe_etag: str | None = None


class Plan(Record):
    """The decisive record of a job: whoever creates it first has decided what will be sent."""

    job_id: str
    source: Source
    kind: str
    format: str = ""
    compression: str | None = None
    sheet: str | None = None
    encoding: str
    delimiter: str | None
    columns: tuple[str, ...]
    provider: str = FIRST_PROVIDER
    model: str
    endpoint: str
    completion_window: timedelta
    attempts: int
    output_encoding: str
    # Plans of an older version lack these: their results are what that version would have made of them.
    output_format: str = "csv"
    formula_guard: bool = False
    answer_columns: dict[str, JsonValue] = Field(default_factory=dict)
    result_columns: tuple[str, ...] = ()
    result_key: str
    rows: int
    bad_rows: int
    shards: tuple[PlannedShard, ...]
    warnings: tuple[str, ...] = ()
    created_at: datetime
    # Of a retry: the closed job whose open rows this one sends again, the job that the file became at first, and the
    # how-many-eth retry it is.
    retry_of: str | None = None
    first_job_id: str | None = None
    retries: int = 0

    @property
    def origin_id(self) -> JobId:
        """The job that the file became at first: this one, unless it is a retry."""
        return JobId(self.first_job_id or self.job_id)

    @property
    def part_format(self) -> str:
        """How the parts are written. Parquet cannot be joined from parts: it is made of JSONL at the end."""
        return "jsonl" if self.output_format == "parquet" else self.output_format

    def shard(self, number: int) -> PlannedShard | None:
        return self.shards[number - 1] if 1 <= number <= len(self.shards) else None

    def requests_key(self, attempt: Attempt) -> str:
        """Where the request lines of this attempt are; the first attempt's are what ``validate`` wrote."""
        if attempt.number == 1:
            return self.shards[attempt.shard - 1].requests_key
        return work_key(attempt, "requests.jsonl")


class Claim(Record):
    """Somebody is creating the batch of this attempt, in this slot. ``token`` is unique to one invocation."""

    token: str
    claimed_at: datetime
    # Claims of an older version have none.
    slot: str = ""


class SlotHolder(Record):
    """Who took a slot: one claim of one attempt. Whoever must know whether a slot is theirs compares this."""

    unit: str
    claim: int


class Submission(Record):
    """The attempt became this batch, or the provider refused it for good before there was one."""

    provider: str = FIRST_PROVIDER
    batch_id: str | None
    batch_name: str
    submitted_at: datetime
    deadline_at: datetime
    rejected_code: str = ""
    rejected_message: str = ""

    def running_ticket(self) -> RunningTicket:
        return RunningTicket(
            provider=self.provider,
            batch_id=self.batch_id or "",
            submitted_at=self.submitted_at,
            deadline_at=self.deadline_at,
        )


# Why there is no batch where the job was cancelled before one was created.
CANCELLED_CODE = "cancelled"


class Cancellation(Record):
    """Nothing more of this job is to be sent; what is in flight is to be cancelled, and its answers kept."""

    asked_at: datetime


class FirstSeen(Record):
    """When something was first noticed that is tolerated for a while."""

    seen_at: datetime


class Tokens(RecordPart):
    """What the provider says that it counted, and bills."""

    prompt: int = 0
    completion: int = 0
    total: int = 0

    def __add__(self, other: Tokens) -> Tokens:
        return Tokens(
            prompt=self.prompt + other.prompt,
            completion=self.completion + other.completion,
            total=self.total + other.total,
        )


class Outcome(Record):
    """The decision about one attempt, made once from the provider's answers.

    ``final``: the shard's part is in ``content_key``. ``resend``: the rows whose answers are there are settled, the
    others go into the next attempt. ``requeue``: a quota or the account's trouble, then named in ``waiting_for``, stopped
    the batch before any row ran; the next attempt is free. What another run wrote beside it, and no outcome names, counts for nothing.
    """

    kind: Literal["final", "resend", "requeue"]
    batch_id: str | None
    batch_status: str
    decided_at: datetime
    content_key: str = ""
    settled: int
    resent: int = 0
    by_status: dict[str, int] = Field(default_factory=dict)
    unread_answers: dict[str, int] = Field(default_factory=dict)
    not_before: datetime | None = None
    waiting_for: WaitingFor | None = None
    tokens: Tokens = Tokens()
    unknown_ids: int = 0
    repeated_ids: int = 0
    unreadable_lines: int = 0


class SettledShard(Record):
    """Every row of the shard has its answer or its reason, in ``part_key``."""

    shard: int
    attempt: int
    part_key: str
    rows: int
    by_status: dict[str, int]
    unread_answers: dict[str, int] = Field(default_factory=dict)
    tokens: Tokens
    batches: tuple[str, ...]


class Ledger(Record):
    """The closing account of a job. Rows in must be the sum of rows out.

    ``unread_answers`` counts, by ``error_code``, the answered rows whose answer could not be taken apart into columns.
    """

    job_id: str
    source: Source
    result_key: str
    kind: str
    format: str = ""
    compression: str | None = None
    sheet: str | None = None
    encoding: str
    delimiter: str | None
    provider: str = FIRST_PROVIDER
    model: str
    endpoint: str
    rows_in: int
    rows_out: int
    by_status: dict[str, int]
    unread_answers: dict[str, int] = Field(default_factory=dict)
    adds_up: bool
    tokens: Tokens
    batches: tuple[str, ...]
    shards: int
    warnings: tuple[str, ...]
    dropped_at: datetime
    planned_at: datetime
    closed_at: datetime
    duration_s: float
    # Of a retry, whose tokens and batches are those of all rounds.
    retry_of: str | None = None
    retries: int = 0

    def to_report(self) -> bytes:
        """The account for people, beside the result: without what only our own code asks for."""
        return self.model_dump_json(indent=1, exclude={"made_by", "provider"}).encode()


class Rejection(Record):
    """Why a file was refused; kept so that a redelivered event answers the same without reading it again."""

    source: Source
    problems: int
    rejected_at: datetime
