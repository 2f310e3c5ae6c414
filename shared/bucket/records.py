"""The objects under ``jobs/``: what Batchdrop remembers of a job, as frozen models in JSON."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal, get_args

from pydantic import Field, JsonValue, field_validator

from shared.bucket.attempt import Attempt, JobId
from shared.bucket.base import FIRST_PROVIDER, Record, RecordPart
from shared.bucket.keys import work_key
from shared.bucket.money import Ceiling, Money, Quote, TokenCounts
from shared.bucket.tickets import ApprovalTerms, WaitingFor
from shared.bucket.usage import AttemptBill, AttemptTokens, Bill, Tokens


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


class Claim(Record):
    """An invocation is creating the batch of this attempt, in this slot."""

    # Nobody reads it, but versions before 26.11 cannot read a claim without it.
    token: str = ""
    claimed_at: datetime
    # Claims of an older version have none.
    slot: str = ""


class SlotHolder(Record):
    """Which claim of which attempt took a slot. A claimant knows its own slot by it.

    Versions before 26.11 compare these bytes, so they name no version: after a roll-back, or while
    one function is newer than another, an old ``collect`` must still free the slot.
    """

    unit: str
    claim: int

    def to_bytes(self) -> bytes:
        return self.model_dump_json(indent=1, exclude={"made_by"}).encode()


class Cancellation(Record):
    """Send nothing more of this job; cancel what is in flight, and keep its answers."""

    asked_at: datetime


class FirstSeen(Record):
    """When something was first noticed that is tolerated for a while."""

    seen_at: datetime


class Outcome(Record):
    """The decision about one attempt, made once. Only what an outcome names counts.

    - ``final``: the shard's part is in ``content_key``.
    - ``resend``: the answers in ``content_key`` are settled, the other rows are sent again.
    - ``ask_again``: the same, but some of these answers do not fit: their rows are open, too, and
      are asked again beside them. It keeps each until a better one is there.
    - ``borrowing``: all rows that were sent are settled, in ``content_key``. Others get answers of
      other shards, once these are settled, too; then the part is written.
    - ``requeue``: a quota or a problem of the account stopped the batch before any row ran. The
      next attempt does not count. ``waiting_for`` names the account's problem.
    - ``unknown``: a later version has decided, in a word that this one does not know. It is left to
      that version: by a guess, rows could be paid for twice.

    It is made from the provider's answers; that of a retry's first attempt, from the closed job's;
    that of a shard with sampled rows, from the sample's.

    ``by_status`` and ``unread_answers`` count all rows that are settled, ``finish_reasons`` those
    that this attempt settled, as ``tokens`` does. ``unmatched_key`` has what names none of them.
    ``fitted`` counts the rows of a final one by the try at which their answer fitted.
    ``asked_again`` rows have an answer already; ``longer`` is for how many answers more than one a
    row the next attempt has tokens, since those that were cut off may be longer.
    """

    kind: Literal["final", "resend", "ask_again", "borrowing", "requeue", "unknown"]
    batch_id: str | None
    batch_status: str
    decided_at: datetime
    content_key: str = ""
    settled: int
    resent: int = 0
    asked_again: int = 0
    longer: int = 0
    fitted: dict[str, int] = Field(default_factory=dict)
    by_status: dict[str, int] = Field(default_factory=dict)
    unread_answers: dict[str, int] = Field(default_factory=dict)
    finish_reasons: dict[str, int] = Field(default_factory=dict)
    not_before: datetime | None = None
    waiting_for: WaitingFor | None = None
    tokens: Tokens = Tokens()
    # The same as ``AttemptTokens.charged``.
    charged: tuple[TokenCounts, ...] = ()
    unmatched_lines: int = 0
    unmatched_key: str = ""
    repeated_ids: int = 0
    unreadable_lines: int = 0
    # Rows that may be charged though nobody told their tokens: their line is lost or says none.
    uncounted: int = 0
    # It is the sample, charged as single requests. An older version reckons it as of a batch.
    in_real_time: bool = False

    @field_validator("kind", mode="before")
    @classmethod
    def _or_unknown(cls, kind: object) -> object:
        return kind if kind in get_args(cls.model_fields["kind"].annotation) else "unknown"

    @property
    def leaves_rows(self) -> bool:
        """Whether the next attempt sends some of the rows, not all or none."""
        return self.kind in ("resend", "ask_again")


class SettledShard(Record):
    """Every row of the shard has its answer or its reason, in ``part_key``."""

    shard: int
    attempt: int
    part_key: str
    rows: int
    by_status: dict[str, int]
    unread_answers: dict[str, int] = Field(default_factory=dict)
    finish_reasons: dict[str, int] = Field(default_factory=dict)
    fitted: dict[str, int] = Field(default_factory=dict)
    unmatched_lines: int = 0
    unmatched_keys: tuple[str, ...] = ()
    tokens: Tokens
    # What ``tokens`` adds up. Older records have none.
    attempts: tuple[AttemptTokens, ...] = ()
    batches: tuple[str, ...]


class Ledger(JobFacts):
    """The closing account of a job. Rows in must be the sum of rows out.

    ``rows_in`` are those that were ``sent``, those that ask the ``same`` as one of these, whose
    answer they have, those that have the answer of an earlier job, and those that were not sent,
    since something is wrong with them.
    ``unread_answers`` counts, by ``error_code``, the answered rows whose answer is odd, or no plain
    JSON that fits the recipe's columns; ``finish_reasons`` the rows whose answer is not whole;
    ``fitted``, where such rows are asked again, the others by the try at which their answer fitted.
    """

    rows_in: int
    rows_out: int
    # Older ledgers do not say.
    rows_sent: int | None = None
    rows_same: int = 0
    rows_reused: int = 0
    rows_not_sent: int = 0
    by_status: dict[str, int]
    unread_answers: dict[str, int] = Field(default_factory=dict)
    finish_reasons: dict[str, int] = Field(default_factory=dict)
    fitted: dict[str, int] = Field(default_factory=dict)
    adds_up: bool
    tokens: Tokens
    # Where the price is known. Older ledgers have neither of the two.
    bill: Bill | None = None
    attempts: tuple[AttemptBill, ...] = ()
    batches: tuple[str, ...]
    shards: int
    warnings: tuple[str, ...]
    dropped_at: datetime
    planned_at: datetime
    closed_at: datetime
    duration_s: float
    # Of a retry. Its tokens, money and batches include those of the jobs before it.
    retry_of: str | None = None
    retries: int = 0
    # When all but ids, counts and money was erased on somebody's wish, or the erasure began.
    erased_at: datetime | None = None
    # Only in reports: where rows are that the file of the result cannot hold.
    further_results: tuple[str, ...] = ()

    @property
    def answered(self) -> int:
        """How many rows have an answer."""
        return self.by_status.get("answered", 0)

    @property
    def is_being_erased(self) -> bool:
        """An erasure was begun and has not ended: it may run, or have been killed."""
        return self.erased_at is not None and self.result_key != ""

    def to_report(self) -> bytes:
        """The account for people, beside the result, without what only our own code reads."""
        unsaid = {"made_by", "erased_at"} | ({"further_results"} if not self.further_results else set())
        return self.model_dump_json(indent=1, exclude=unsaid).encode()
