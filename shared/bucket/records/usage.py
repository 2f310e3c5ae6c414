"""What the provider counted of a job's requests, and what that costs."""

from __future__ import annotations

from datetime import date

from shared.bucket.base import RecordPart
from shared.bucket.money import Money, TokenCounts


class Tokens(RecordPart):
    """What the provider says that it counted, and bills.

    ``thinking`` is a part of ``completion``, ``cached`` of ``prompt``.
    """

    prompt: int = 0
    completion: int = 0
    total: int = 0
    thinking: int = 0
    cached: int = 0

    def __add__(self, other: Tokens) -> Tokens:
        return Tokens(
            prompt=self.prompt + other.prompt,
            completion=self.completion + other.completion,
            total=self.total + other.total,
            thinking=self.thinking + other.thinking,
            cached=self.cached + other.cached,
        )


class AttemptTokens(RecordPart):
    """What was counted of one attempt of a shard.

    Attributes:
        charged: The same by how it is charged, for each tier of the plan's price; empty if there
            is none, and in records of versions that did not tell the tiers apart.
        in_real_time: It is charged as single requests: the sample.
    """

    attempt: int
    tokens: Tokens
    charged: tuple[TokenCounts, ...] = ()
    in_real_time: bool = False


class AttemptBill(RecordPart):
    """What one attempt of all shards used and cost.

    Attributes:
        retries: Of the job that sent it: 0 for the file's first one.
        in_real_time: As of ``AttemptTokens``; a first attempt may have both, each by itself.
        cost: ``None`` if nobody says what the model costs, as ``real_time``.
        real_time: What the same would have cost without a batch.
    """

    retries: int
    attempt: int
    in_real_time: bool = False
    tokens: Tokens
    cost: Money | None = None
    real_time: Money | None = None


class Bill(RecordPart):
    """What a job cost, by the price in its quote. Only what the provider counted is charged.

    Attributes:
        cost: Of all attempts, also of the jobs that this one retries.
        real_time: What the same would have cost without a batch.
        saved: How much less ``cost`` is.
        quoted: What was expected of the job itself, without those that it retries; ``None`` if
            nobody could know how long answers are.
        over_quote: By how much its own part of ``cost`` is more; below zero, how much less.
        model: Under which the price was found.
        source: Where the price was read, on the day ``read_on``.
        is_batch_price: The price of batches is known; otherwise the real-time price is charged.
    """

    cost: Money
    real_time: Money
    saved: Money
    quoted: Money | None = None
    quoted_at_most: Money | None = None
    over_quote: Money | None = None
    model: str
    source: str
    read_on: date
    is_batch_price: bool = True
