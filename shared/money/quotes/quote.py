"""Makes the quote of a job out of what was counted and what its model costs."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from shared.bucket.money import Money, Price, Quote, Rates, Tier, TokenCounts, cost
from shared.ports.output_bound import OutputBound

# By how much the estimate of tokens may be too low, in hundredths: see ``shared/money/README.md``.
_INPUT_AT_MOST = 125
# What a request that asks again says beside the answer that does not fit: one sentence, with what a
# check says of an answer, and what goes around two messages.
_REASON_TOKENS = 400


@dataclass(frozen=True)
class Counted:
    """What was counted of a job.

    Attributes:
        requests: How many are sent.
        input_tokens: The estimate for all of them.
        input_bytes: A token has a byte at least.
        longest_bytes: Of the longest request, which decides by which tier it is charged at most.
        shared_tokens: With how many tokens all of them begin alike.
        same: Rows that are not sent, since they ask the same as one that is; ``reused`` are those
            that an earlier job was answered.
    """

    requests: int
    input_tokens: int
    input_bytes: int
    longest_bytes: int
    shared_tokens: int = 0
    same: int = 0
    reused: int = 0


@dataclass(frozen=True)
class Experience:
    """What answers take: ``output_tokens`` for a thousand requests, as ``jobs`` had them.

    No ``jobs``: as long as the recipe asks for.
    """

    output_tokens: int
    jobs: int = 0


def make_quote(
    counted: Counted,
    price: Price | None,
    bound: OutputBound,
    experience: Experience | None,
    version: str,
    *,
    until_fits: int = 0,
) -> Quote:
    """Make it.

    Args:
        counted: What is to be sent.
        price: Of the model.
        bound: Of the output of one request.
        experience: Of earlier jobs, if there were any.
        version: What the digest names beside the price, such as file and recipe.
        until_fits: How often each row may be asked again.
    """
    output = _expected_output(counted, bound, experience)
    each = bound.tokens
    quote = Quote(
        requests=counted.requests,
        same=counted.same,
        reused=counted.reused,
        input_tokens=counted.input_tokens,
        input_at_most=input_at_most(counted.input_tokens, counted.input_bytes),
        output_tokens=output,
        output_at_most=None if each is None else each * counted.requests,
        known_from=experience.jobs if experience else 0,
        shared_tokens=counted.shared_tokens,
        bounded_by=bound.write,
        until_fits=until_fits,
        price=price,
        digest=_digest(version, price),
    )
    return quote if price is None else _with_money(quote, counted, price, thinks=bound.thinking != 0)


def input_at_most(input_tokens: int, input_bytes: int) -> int:
    """What the estimate of these requests may come to."""
    return max(min(-(-input_tokens * _INPUT_AT_MOST // 100), input_bytes), input_tokens)


def added_when_asked_again(each: int, times: int) -> int:
    """How many input tokens a request has more for it, when it is asked again so many times.

    ``each`` is the most output tokens of an answer at first. The next one may be twice as long.
    """
    return (each << (times - 1)) + _REASON_TOKENS if times else 0


def _expected_output(counted: Counted, bound: OutputBound, experience: Experience | None) -> int | None:
    if bound.tokens == 0:
        return 0
    if experience is None:
        return None
    expected = -(-experience.output_tokens * counted.requests // 1000)
    return expected if bound.tokens is None else min(expected, bound.tokens * counted.requests)


def _with_money(quote: Quote, counted: Counted, price: Price, *, thinks: bool) -> Quote:
    mean = price.tier_for(quote.input_tokens // max(quote.requests, 1))
    longest = price.tier_for(min(counted.longest_bytes, quote.input_at_most) + _added_at_most(quote))
    expected = _tokens(quote.input_tokens, quote.output_tokens or 0, thinks=thinks)
    rates, at_most = longest.batch or longest.real_time, None
    if thinks:
        rates = rates.model_copy(update={"output": max(rates.output, rates.thinking)})
    if quote.output_at_most is not None or price.is_free:
        at_most = cost(_tokens_at_most(quote), rates, price.currency)
    return quote.model_copy(
        update={
            "expected": cost(expected, mean.batch or mean.real_time, price.currency),
            "at_most": at_most,
            "rates_at_most": rates,
            "real_time": cost(expected, mean.real_time, price.currency),
            "is_batch_price": mean.batch is not None,
            "cached_real_time": _cached_real_time(quote, price, mean, thinks=thinks),
        }
    )


def output_of_each(quote: Quote) -> int | None:
    """The most output tokens of one request that is sent for the first time."""
    return None if quote.output_at_most is None else quote.output_at_most // max(quote.requests, 1)


def output_of_all_tries(quote: Quote) -> int | None:
    """The most output tokens if every row has to be asked again, and each time was cut off."""
    most = quote.output_at_most
    return None if most is None else most * ((2 << quote.until_fits) - 1)


def _added_at_most(quote: Quote) -> int:
    return added_when_asked_again(output_of_each(quote) or 0, quote.until_fits)


def _tokens_at_most(quote: Quote) -> TokenCounts:
    """If every row has to be asked again, and each time its answer was cut off."""
    each, times = output_of_each(quote) or 0, range(1, quote.until_fits + 1)
    added = quote.requests * sum(added_when_asked_again(each, time) for time in times)
    return TokenCounts(
        input=quote.input_at_most * (1 + len(times)) + added,
        output=output_of_all_tries(quote) or 0,
    )


def _cached_real_time(quote: Quote, price: Price, tier: Tier, *, thinks: bool) -> Money | None:
    """Real time with a cache, if that is cheaper than a batch, however long answers get."""
    output = quote.output_at_most if quote.output_tokens is None else quote.output_tokens
    cached = min(quote.shared_tokens * (quote.requests - 1), quote.input_tokens)
    is_cached = quote.shared_tokens >= price.cached_from and tier.real_time.cached is not None
    if tier.batch is None or output is None or cached <= 0 or not is_cached:
        return None

    def together(rates: Rates, output_tokens: int) -> Money:
        counts = _tokens(quote.input_tokens - cached, output_tokens, thinks=thinks)
        return cost(counts.model_copy(update={"cached": cached}), rates, price.currency)

    if together(tier.real_time, output).micros >= together(tier.batch, output).micros:
        return None
    return together(tier.real_time, quote.output_tokens or 0)


def part_of(quote: Quote, requests: int, *, same: int, answered: int) -> Quote:
    """The quote of what is left once some rows are ``answered``: the share of it, rounded up."""
    whole = max(quote.requests, 1)

    def part(amount: int | None) -> int | None:
        return None if amount is None else -(-amount * requests // whole)

    counts = ("input_tokens", "input_at_most", "output_tokens", "output_at_most")
    amounts = ("expected", "at_most", "real_time", "cached_real_time")
    money = {name: getattr(quote, name) for name in amounts}
    return quote.model_copy(
        update={
            "requests": requests,
            "same": same,
            "reused": 0,
            "answered": answered,
            **{name: part(getattr(quote, name)) for name in counts},
            **{
                name: each and each.model_copy(update={"micros": part(each.micros)})
                for name, each in money.items()
            },
        }
    )


def _tokens(input_tokens: int, output_tokens: int, *, thinks: bool) -> TokenCounts:
    if thinks:
        return TokenCounts(input=input_tokens, thinking=output_tokens)
    return TokenCounts(input=input_tokens, output=output_tokens)


def _digest(version: str, price: Price | None) -> str:
    said = f"{version}\n{price.model_dump_json() if price else ''}"
    return hashlib.sha256(said.encode()).hexdigest()[:12]
