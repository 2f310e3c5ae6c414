"""What a few rows that were asked in real time tell of the cost of all others."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import sqrt
from typing import NamedTuple

from shared.bucket.base import RecordPart
from shared.bucket.money import Money, Quote, Rates, TokenCounts, cost
from shared.money.quotes.quote import input_at_most, output_of_each

# Student's t for two-sided 90 %, by degrees of freedom; from the last one on it is the normal's
# (https://www.itl.nist.gov/div898/handbook/eda/section3/eda3672.htm, column 0.95).
_T = (6.314, 2.920, 2.353, 2.132, 2.015, 1.943, 1.895, 1.860, 1.833, 1.812)
_T_LATER = ((15, 1.796), (20, 1.753), (30, 1.725), (60, 1.697), (120, 1.671))
_T_LAST = 1.658
# Of the words that tell a model what is wrong with its answer.
_REASON_TOKENS = 40


class RowCount(NamedTuple):
    """Tokens of one answered row: estimated of its request, and counted by the provider.

    One with a misfit is asked again where the recipe says so.
    """

    estimate: int
    prompt: int
    output: int
    is_misfit: bool = False


class SampleFigures(RecordPart):
    """What the sample came to, and what it says of the whole job.

    Tokens and money are of the whole job, the sample included, ``cost`` of the sample alone.
    ``None`` is what nobody can know.

    Attributes:
        wanted: How many rows the recipe asks for.
        asked: How many were asked, ``answered`` of them with an answer. The ``unknown`` ones may
            have been charged; they are not asked again.
        why: Why some of ``wanted`` were not asked, as the code of a message; else ``""``.
        misfits: How many of the answers do not fit the columns, or were cut off.
        cost: By the real-time price, for what the provider counted.
        output_tokens: ``output_low`` to ``output_high`` is where it lies with 90 %.
        expected: The money for it; ``low`` to ``high`` goes with that interval.
        real_time: What ``expected`` would cost without a batch.
        at_most: The money at most, with what the sample cost.
        compared: Answers that were compared with what the file says is right; ``right`` are the
            same as it.
    """

    wanted: int
    asked: int = 0
    answered: int = 0
    unknown: int = 0
    misfits: int = 0
    why: str = ""
    cost: Money | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    output_low: int | None = None
    output_high: int | None = None
    expected: Money | None = None
    low: Money | None = None
    high: Money | None = None
    real_time: Money | None = None
    at_most: Money | None = None
    compared: int = 0
    right: int = 0


class Spent(NamedTuple):
    """What the sample used.

    Attributes:
        counts: By tier of the price, as ``AttemptTokens.charged``.
        known: What they cost in real time; ``None`` without a price.
        perhaps: What the rows without a reply may have cost at most, beside that.
    """

    counts: Sequence[TokenCounts]
    known: Money | None
    perhaps: int

    def forgotten(self) -> Spent:
        """Its counts without its money."""
        return self._replace(known=self.known and self.known.model_copy(update={"micros": 0}), perhaps=0)


def real_time_worst(quote: Quote, input_tokens: int, size_bytes: int, requests: int) -> Money | None:
    """The most that so many requests may cost in real time; ``None`` if nobody can know.

    Args:
        quote: Of their job.
        input_tokens: The estimate for all of them.
        size_bytes: Of their lines; a token has a byte at least.
        requests: How many they are.
    """
    each, price = output_of_each(quote), quote.price
    if price is None or each is None or quote.rates_at_most is None:
        return None
    tokens = TokenCounts(input=input_at_most(input_tokens, size_bytes), output=each * requests)
    return cost(tokens, _rates_at_most(quote, quote.rates_at_most), price.currency)


def _rates_at_most(quote: Quote, batch: Rates) -> Rates:
    """The real-time rates beside those that the quote reckons with at most."""
    tiers = quote.price.tiers if quote.price else ()
    for tier in tiers:
        of_batch = tier.batch or tier.real_time
        if of_batch.input == batch.input and batch.output in (of_batch.output, of_batch.thinking):
            rates = tier.real_time
            is_thought = batch.output == max(of_batch.output, of_batch.thinking)
            return (
                rates.model_copy(update={"output": max(rates.output, rates.thinking)})
                if is_thought
                else rates
            )
    return batch


def make_figures(
    quote: Quote, told: SampleFigures, rows: Sequence[RowCount], spent: Spent, *, is_kept: bool = True
) -> SampleFigures:
    """Extrapolate.

    The mean of the answered rows stands for all others, since they are spread over the lengths as
    all rows are. How far it may be off goes by how much rows next to each other in length differ.
    As many of them do not fit, each time that they are asked, as of these.

    Args:
        quote: As it was made before the sample.
        told: With what is known without reckoning.
        rows: The answered ones.
        spent: By all of them.
        is_kept: What they were answered is; else they are asked again with all others, and only
            ``cost`` is of them.
    """
    left, cost_of_sample = quote.requests, spent.known
    if is_kept:
        left = max(left - told.answered - told.unknown, 0)
    else:
        spent = spent.forgotten()
    known = {"cost": cost_of_sample, "at_most": _at_most(quote, left, spent)}
    extrapolated = _extrapolated(quote, rows, left, spent, is_kept=is_kept) if rows else {}
    return told.model_copy(update={**known, **extrapolated})


def _extrapolated(
    quote: Quote, rows: Sequence[RowCount], left: int, spent: Spent, *, is_kept: bool
) -> dict[str, Money | int | None]:
    """The figures that come of the answered rows, by their names; an interval needs two."""
    again = _asked_again(quote, rows, left, is_kept=is_kept)
    outputs = _outputs(quote, rows, left + again)
    rest = _input_of(quote, rows, left + again) + again * (_mean_output(rows) + _REASON_TOKENS)
    money = [_money(quote, rest, output, spent) for output in outputs]
    used = [sum(each.output for each in rows) + output if is_kept else output for output in outputs]
    asked = sum(each.prompt for each in rows) if is_kept else 0
    interval = {"output_low": used[1], "output_high": used[2], "low": money[1], "high": money[2]}
    return {
        "input_tokens": rest + asked,
        "output_tokens": used[0],
        "expected": money[0],
        "real_time": _money(quote, rest, outputs[0], spent, in_real_time=True),
        **(dict.fromkeys(interval) if len(rows) == 1 and left + again > 0 else interval),
    }


def _asked_again(quote: Quote, rows: Sequence[RowCount], left: int, *, is_kept: bool) -> int:
    """How often one of so many further rows will be asked again, or of these if they are kept."""
    misfits = sum(row.is_misfit for row in rows)
    share, total = misfits / len(rows), 0.0
    misfitting = left * share + (misfits if is_kept else 0)
    for _ in range(quote.until_fits):
        total += misfitting
        misfitting *= share
    return round(total)


def _mean_output(rows: Sequence[RowCount]) -> int:
    return round(sum(row.output for row in rows) / len(rows))


def _outputs(quote: Quote, rows: Sequence[RowCount], left: int) -> list[int]:
    """Of so many further requests: as expected, and the ends of the interval."""
    mean, margin = sum(each.output for each in rows) / len(rows), _margin(rows, left)
    outputs = [max(round(mean * left + off), 0) for off in (0, -margin, margin)]
    if quote.output_at_most is None:
        return outputs
    most = (output_of_each(quote) or 0) * left
    return [min(output, most) for output in outputs]


def _input_of(quote: Quote, rows: Sequence[RowCount], left: int) -> int:
    """Of so many further requests: the estimate, corrected by what was counted of these."""
    prompts, estimates = sum(each.prompt for each in rows), sum(each.estimate for each in rows)
    of_all = quote.input_tokens * prompts // max(estimates, 1)
    return of_all * left // max(quote.requests, 1)


def _margin(rows: Sequence[RowCount], left: int) -> float:
    """Half of the interval for the output of so many further rows together.

    The variance is that of a systematic sample by successive differences, "v2" in chapter 8 of
    Wolter's Introduction to Variance Estimation.
    """
    if len(rows) < 2:  # one row differs from none
        return 0.0
    outputs = [row.output for row in sorted(rows, key=lambda row: (row.prompt, row.output))]
    variance = sum((other - one) ** 2 for one, other in pairwise(outputs)) / (2 * (len(rows) - 1))
    return _t(len(rows) - 1) * sqrt(variance * (left * left / len(rows) + left))


def _t(freedom: int) -> float:
    if freedom <= len(_T):
        return _T[freedom - 1]
    return next((value for until, value in _T_LATER if freedom < until), _T_LAST)


def _money(
    quote: Quote, input_tokens: int, output: int, spent: Spent, *, in_real_time: bool = False
) -> Money | None:
    """Of the sample, and of a batch of the other rows, which think as much as it did."""
    if quote.price is None or spent.known is None:
        return None
    used = sum(spent.counts, TokenCounts())
    thought = output * used.thinking // max(used.output + used.thinking, 1)
    tier = quote.price.tier_for(quote.input_tokens // max(quote.requests, 1))
    tokens = TokenCounts(input=input_tokens, output=output - thought, thinking=thought)
    rates = tier.real_time if in_real_time else tier.batch or tier.real_time
    return spent.known + cost(tokens, rates, quote.price.currency)


def _at_most(quote: Quote, left: int, spent: Spent) -> Money | None:
    """Sampled rows count as those of a batch, too: they may have to be asked again."""
    if quote.at_most is None or spent.known is None:
        return None
    most = quote.at_most.micros if left or quote.until_fits else 0
    return spent.known.model_copy(update={"micros": most + spent.known.micros + spent.perhaps})
