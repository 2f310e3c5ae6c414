"""What an attempt may cost at most before it is sent, and what it may have cost afterwards."""

from __future__ import annotations

from dataclasses import dataclass

from shared.bucket.money import Money, Quote, TokenCounts, cost
from shared.bucket.records.outcome import Outcome
from shared.bucket.records.plan import PlannedShard
from shared.bucket.records.submission import Submission
from shared.money.invoice import cost_of
from shared.money.quotes.quote import added_when_asked_again, input_at_most, output_of_each


def worst_case(
    quote: Quote, shard: PlannedShard, requests: int, size_bytes: int, before: Outcome | None = None
) -> Money | None:
    """The most that these requests of a shard may cost; ``None`` if nobody can know.

    Args:
        quote: Its job's.
        shard: Of which they are all, or those that are sent again.
        requests: How many they are.
        size_bytes: Their lines; a token has a byte at least.
        before: What left them open. Of some there are answers, with which they are asked again.
    """
    each = output_of_each(quote)
    if quote.rates_at_most is None or quote.price is None or each is None:
        return None
    added = longer = 0
    if before is not None and before.asked_again:
        added = before.asked_again * added_when_asked_again(each, quote.until_fits)
        longer = before.longer
    tokens = TokenCounts(
        input=min(input_at_most(shard.input_tokens, shard.size_bytes) + added, size_bytes),
        output=each * (requests + longer),
    )
    return cost(tokens, quote.rates_at_most, quote.price.currency)


@dataclass(frozen=True)
class Charged:
    """In millionths: what the provider's counts come to, and what may be charged beside them."""

    known: int
    perhaps: int

    def within(self, reserved: int) -> int:
        """What is reckoned with: what nobody knows is not more than was reserved for all."""
        return self.known + min(self.perhaps, max(reserved - self.known, 0))


NOTHING = Charged(0, 0)
ALL_RESERVED = Charged(0, 2**63)
# Of rows that a batch may have answered which nobody can find any more.
_PERHAPS_SENT = "perhaps_sent"


def charged_by(
    quote: Quote | None, shard: PlannedShard | None, sent: Submission, outcome: Outcome
) -> Charged:
    """What an attempt of the shard cost that was sent, or not, and is decided now."""
    if sent.rejected_code == _PERHAPS_SENT:
        return ALL_RESERVED
    if sent.batch_id is None or quote is None or shard is None:
        return NOTHING
    return charged_for(quote, shard, outcome)


def charged_for(quote: Quote, shard: PlannedShard, outcome: Outcome) -> Charged:
    """What an attempt with this outcome is billed, and what may be charged that nobody counted."""
    rates, each = quote.rates_at_most, output_of_each(quote)
    if quote.price is None or rates is None or each is None:
        return NOTHING
    known, _ = cost_of(outcome.tokens, outcome.charged, quote.price)
    if not outcome.uncounted:
        return Charged(known.micros, 0)
    # Each of these may be one that was asked again; more than was reserved for all is not charged.
    added = outcome.uncounted * added_when_asked_again(each, quote.until_fits)
    most = input_at_most(shard.input_tokens, shard.size_bytes) + added
    output = (each << quote.until_fits) * outcome.uncounted
    uncounted = TokenCounts(input=max(most - outcome.tokens.prompt, 0), output=output)
    return Charged(known.micros, cost(uncounted, rates, "").micros)
