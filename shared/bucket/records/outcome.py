"""What became of one attempt, and in the end of its shard."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, get_args

from pydantic import Field, field_validator

from shared.bucket.base import Record
from shared.bucket.money import TokenCounts
from shared.bucket.records.usage import AttemptTokens, Tokens
from shared.bucket.tickets import WaitingFor


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
    # Of a retry's first attempt: how many of its answers are of rows that were sent, not of others
    # that ask the same. Older ones do not say.
    answered_requests: int | None = None
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
