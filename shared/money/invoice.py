"""Says what a job cost, by the price that stood in its quote and what the provider counted.

A price that has changed since, or another version of Batchdrop, changes no bill of an open job.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from shared.bucket.money import Money, Price, Quote, TokenCounts, cost
from shared.bucket.records.outcome import SettledShard
from shared.bucket.records.plan import Plan
from shared.bucket.records.usage import AttemptBill, AttemptTokens, Bill, Tokens


def price_of(plan: Plan) -> Price | None:
    """By which the job is charged; ``None`` of an older plan, or if nobody says what it costs."""
    return plan.quote.price if plan.quote else None


def cost_of(tokens: Tokens, charged: Sequence[TokenCounts], price: Price) -> tuple[Money, Money]:
    """What it costs in a batch, and what it would in real time.

    Args:
        tokens: All that was counted.
        charged: The same by tier. If it is empty, the first tier holds for all.
        price: Of the model. Without a price of batches that of real time is charged.
    """
    batch = real_time = Money(micros=0, currency=price.currency)
    for counts, tier in zip(charged or (_untold(tokens),), price.tiers, strict=False):
        batch += cost(counts, tier.batch or tier.real_time, price.currency)
        real_time += cost(counts, tier.real_time, price.currency)
    return batch, real_time


def _untold(tokens: Tokens) -> TokenCounts:
    """What a version counted that did not note how it is charged."""
    kind = "thinking" if tokens.thinking else "output"
    return TokenCounts(input=tokens.prompt - tokens.cached, cached=tokens.cached, **{kind: tokens.completion})


def bill_attempts(plan: Plan, shards: Iterable[SettledShard]) -> Iterator[AttemptBill]:
    """What each attempt used, of all shards together, and what it cost."""
    price, found = price_of(plan), defaultdict[tuple[int, bool], list[AttemptTokens]](list)
    for shard in shards:
        for each in _attempts_of(shard):
            found[each.attempt, not each.in_real_time].append(each)
    for (attempt, is_batch), counted in sorted(found.items()):
        tokens = sum((each.tokens for each in counted), Tokens())
        bill = AttemptBill(retries=plan.retries, attempt=attempt, in_real_time=not is_batch, tokens=tokens)
        if price is not None:
            batch, real_time = cost_of(tokens, _together(counted), price)
            bill = bill.model_copy(update={"cost": batch if is_batch else real_time, "real_time": real_time})
        yield bill


def _attempts_of(shard: SettledShard) -> Iterable[AttemptTokens]:
    if shard.attempts or shard.tokens == Tokens():
        return shard.attempts
    return (AttemptTokens(attempt=shard.attempt, tokens=shard.tokens),)  # an older version settled it


def _together(counted: Sequence[AttemptTokens]) -> list[TokenCounts]:
    """The sum for each tier, so that the money is rounded once."""
    by_shard = [each.charged or (_untold(each.tokens),) for each in counted]
    tiers = range(max(map(len, by_shard)))
    return [sum((shard[tier] for shard in by_shard if tier < len(shard)), TokenCounts()) for tier in tiers]


def make_bill(plan: Plan, attempts: Sequence[AttemptBill], quote: Quote | None) -> Bill | None:
    """What the attempts cost together, beside what was expected; ``None`` without a price.

    Args:
        plan: The job.
        attempts: Its own, and those of the jobs that it retries.
        quote: As people saw it, by the sample if there was one.
    """
    price = price_of(plan)
    if quote is None or price is None:
        return None
    nothing = Money(micros=0, currency=price.currency)
    batch = sum((each.cost for each in attempts if each.cost), nothing)
    real_time = sum((each.real_time for each in attempts if each.real_time), nothing)
    own = sum((each.cost for each in attempts if each.cost and each.retries == plan.retries), nothing)
    # Without its output, what was expected is only a part.
    quoted = None if quote.output_tokens is None else quote.expected
    return Bill(
        cost=batch,
        real_time=real_time,
        saved=real_time - batch,
        quoted=quoted,
        quoted_at_most=quote.at_most,
        over_quote=own - quoted if quoted else None,
        model=price.model,
        source=price.source,
        read_on=price.read_on,
        is_batch_price=all(tier.batch for tier in price.tiers),
    )
