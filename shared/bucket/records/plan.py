"""The plan of a job, which decides what will be sent, and what it is made of."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from pydantic import Field, JsonValue

from shared.bucket.attempt import Attempt, JobId
from shared.bucket.base import FIRST_PROVIDER, Record, RecordPart
from shared.bucket.keys import work_key
from shared.bucket.money import Ceiling, Money, Quote
from shared.bucket.tickets import ApprovalTerms


class PlannedShard(RecordPart):
    """Consecutive rows of the job that fit one batch.

    ``rows`` are ``requests``, rows that ask the ``same`` as one of these, rows that are answered by
    an earlier job (``reused``), and bad rows, which are kept, not sent.
    """

    shard: int
    rows: int
    requests: int
    size_bytes: int
    rows_key: str
    requests_key: str
    # Older plans have none: every good row is sent.
    same: int = 0
    # So many rows have an answer in ``reused_key``. Of a retry the closed job's answers have them.
    reused: int = 0
    reused_key: str = ""
    # How many of the same have the answer of another shard's row.
    borrowed: int = 0
    # Of how many shards. Where it is not known, they get their answers at the end.
    lenders: int = 0
    # Names the requests whose answers rows of other shards get, if there are any.
    loans_key: str = ""
    # An estimate, for all requests together. Older plans have none.
    input_tokens: int = 0

    @property
    def good_rows(self) -> int:
        return self.requests + self.same + self.reused


class PlannedSample(RecordPart):
    """Rows that are asked in real time before the others are sent, to know what those will cost.

    Attributes:
        wanted: How many the recipe asks for.
        rows: How many there are; none where no service for single requests can be asked.
        rows_key: What is to be asked: lines of ``SampledRow``.
        shards: Where they stand, ascending. The first attempt of these is the sample's answers.
        at_most: What asking them may cost at most, in real time; ``None`` if nobody can know.
        expect: The file's column that holds the right answers; ``column`` is the answers' that is
            compared, and empty where that is the whole answer.
    """

    wanted: int
    rows: int = 0
    rows_key: str = ""
    shards: tuple[int, ...] = ()
    at_most: Money | None = None
    expect: str = ""
    column: str = ""


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


class JobFacts(Record):
    """What a job's plan and its ledger both say."""

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


class Plan(JobFacts):
    """The decisive record of a job: the first run to create it decides what will be sent."""

    columns: tuple[str, ...]
    completion_window: timedelta
    attempts: int
    output_encoding: str
    # Older plans lack these. The defaults give the result that the older version would have made.
    output_format: str = "csv"
    formula_guard: bool = False
    answer_columns: dict[str, JsonValue] = Field(default_factory=dict)
    result_columns: tuple[str, ...] = ()
    # Whether columns of the result have types where its format can, and those of the file's own.
    is_typed: bool = False
    column_types: tuple[str, ...] = ()
    rows: int
    bad_rows: int
    shards: tuple[PlannedShard, ...]
    warnings: tuple[str, ...] = ()
    # Who is to be told of the job: channels, as ``kind:name``.
    notify: tuple[str, ...] = ()
    # Made before anything is sent; the bill goes by its price. Older plans have none.
    quote: Quote | None = None
    # Each holds for every attempt of the job, beside the others. Older plans have none.
    ceilings: tuple[Ceiling, ...] = ()
    # How often a row is asked again at most whose answer does not fit. A version that does not know
    # it asks none again.
    until_fits: int = 0
    # Where its answers are kept for later jobs, if they are.
    lends_to: str = ""
    # Only if somebody must approve the quote first. Older plans have none.
    approval: ApprovalTerms | None = None
    sample: PlannedSample | None = None
    created_at: datetime
    # Of a retry: the closed job whose open rows are sent again, the file's first job, and
    # ``retries``: 1 for the first retry, 2 for the second.
    retry_of: str | None = None
    first_job_id: str | None = None
    retries: int = 0

    def facts(self) -> dict[str, Any]:
        """What the ledger repeats, by field."""
        return {name: getattr(self, name) for name in JobFacts.model_fields}

    def of_file(self, key: str) -> Plan:
        """The plan with the file's name, which that of an erased job has lost."""
        return self.model_copy(update={"source": self.source.model_copy(update={"key": key})})

    @property
    def approve_until(self) -> datetime | None:
        """Until when its quote may be approved, if it must be."""
        return self.created_at + self.approval.within if self.approval else None

    @property
    def rows_sent(self) -> int:
        return sum(shard.requests for shard in self.shards)

    @property
    def rows_same(self) -> int:
        """Rows that are not sent, since they ask the same as one that is."""
        return sum(shard.same for shard in self.shards)

    @property
    def rows_reused(self) -> int:
        """Rows that are not sent, since an earlier job asked the same and was answered."""
        return sum(shard.reused for shard in self.shards)

    @property
    def good_rows(self) -> int:
        return sum(shard.good_rows for shard in self.shards)

    @property
    def borrows(self) -> bool:
        """Whether rows have answers of other shards than their own."""
        return any(shard.borrowed for shard in self.shards)

    @property
    def origin_id(self) -> JobId:
        """The file's first job: this one, unless it is a retry."""
        return JobId(self.first_job_id or self.job_id)

    def shard(self, number: int) -> PlannedShard | None:
        return self.shards[number - 1] if 1 <= number <= len(self.shards) else None

    def is_sent(self, attempt: Attempt) -> bool:
        """Whether the attempt is one to send.

        A retry starts with what the closed job answered, and a shard with sampled rows with what
        these were answered: that is its first attempt, never a batch. Nor is that of a shard whose
        rows all have the answers of earlier jobs.
        """
        if attempt.number > 1:
            return True
        shard = self.shard(attempt.shard)
        has_requests = shard is None or shard.requests > 0
        return has_requests and not (self.retry_of or self.is_sampled(attempt.shard))

    def is_sampled(self, shard: int) -> bool:
        return self.sample is not None and shard in self.sample.shards

    def is_sample(self, attempt: Attempt) -> bool:
        """Whether the attempt is what the shard's sampled rows were answered."""
        return attempt.number == 1 and self.is_sampled(attempt.shard)

    def requests_key(self, attempt: Attempt) -> str:
        """Where the attempt's request lines are. The first attempt's come before the plan."""
        if attempt.number == 1:
            return self.shards[attempt.shard - 1].requests_key
        return work_key(attempt, "requests.jsonl")
