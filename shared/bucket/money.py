"""Amounts of money and the price of a model, as records keep them: whole numbers, never floats."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field

from shared.bucket.base import Record, RecordPart

MICROS = 1_000_000
"""How many of the smallest parts that we count make one of a currency."""

_PER_TOKENS = 1_000_000

Thinks = Literal["never", "if_asked", "by_default", "always", "unknown"]


class Money(RecordPart):
    """An amount in millionths of its currency.

    Amounts of different currencies are never added: that is a mistake of ours.
    """

    micros: int
    currency: str

    def __add__(self, other: Money) -> Money:
        return Money(micros=self.micros + self._same(other), currency=self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(micros=self.micros - self._same(other), currency=self.currency)

    def __abs__(self) -> Money:
        return Money(micros=abs(self.micros), currency=self.currency)

    def _same(self, other: Money) -> int:
        if other.currency != self.currency:
            raise ValueError(f"{other.currency} cannot be added to {self.currency}")
        return other.micros


class Rates(RecordPart):
    """Millionths of the currency for a million tokens of each kind.

    Attributes:
        input: Of the request.
        output: Of the answer.
        thinking: Of what the model thinks, and of the answer after it.
        cached: Of the request, where the provider had read the same beginning before; ``None`` if
            nobody says that it is cheaper.
    """

    input: int
    output: int
    thinking: int
    cached: int | None = None


class TokenCounts(RecordPart):
    """Tokens by how they are charged: no token counts twice.

    ``input`` is without those that were ``cached``, ``output`` without those of ``thinking``.
    """

    input: int = 0
    output: int = 0
    thinking: int = 0
    cached: int = 0

    def __add__(self, other: TokenCounts) -> TokenCounts:
        return TokenCounts(
            input=self.input + other.input,
            output=self.output + other.output,
            thinking=self.thinking + other.thinking,
            cached=self.cached + other.cached,
        )


class Tier(RecordPart):
    """The rates for requests of at most ``up_to`` input tokens, or of any number.

    A tier holds for all tokens of a request, those of the answer too.

    Attributes:
        real_time: What a single request costs.
        batch: What it costs in a batch; ``None`` if there is no such price, or nobody says one.
    """

    up_to: int | None = None
    real_time: Rates
    batch: Rates | None = None


class Price(RecordPart):
    """What a model costs, as somebody read it on a page one day.

    Attributes:
        model: The name under which it was found; a job's model may be a dated version of it.
        currency: ``CNY`` or ``USD``, by ISO 4217.
        thinks: Whether the model thinks before it answers if a request does not say; a word of
            ``Thinks``, and later versions may know more of them.
        tiers: By length of the request, ascending.
        source: The page.
        read_on: The day on which the page was read.
        is_own: The figures are the operator's own, not the list price.
        cached_from: How many tokens requests must begin with alike to be read from a cache.
    """

    model: str
    currency: str
    thinks: str
    tiers: tuple[Tier, ...]
    source: str
    read_on: date
    is_own: bool = False
    cached_from: int = 0

    @property
    def is_free(self) -> bool:
        """Whether nothing is charged, however many tokens there are."""
        rates = (rates for tier in self.tiers for rates in (tier.real_time, tier.batch) if rates)
        return not any(each.input or each.output or each.thinking or each.cached for each in rates)

    def tier_for(self, input_tokens: int) -> Tier:
        """The tier of a request of that length; the last one also for what is longer."""
        fits = (tier for tier in self.tiers if tier.up_to is None or input_tokens <= tier.up_to)
        return next(fits, self.tiers[-1])


def cost(tokens: TokenCounts, rates: Rates, currency: str) -> Money:
    """What the tokens cost together, rounded up to a millionth once, at the end."""
    cached = rates.input if rates.cached is None else rates.cached
    parts = (
        tokens.input * rates.input,
        tokens.output * rates.output,
        tokens.thinking * rates.thinking,
        tokens.cached * cached,
    )
    return Money(micros=-(-sum(parts) // _PER_TOKENS), currency=currency)


class Quote(RecordPart):
    """What a job is to cost, as far as it can be known before anything is sent.

    Tokens are of all requests together. ``None`` is what nobody can know.

    Attributes:
        requests: Rows that are sent; ``same`` are further ones that ask the same, ``reused`` those
            that an earlier job was answered, ``answered`` those of a retry that have an answer.
        input_tokens: An estimate; ``input_at_most`` is what it may be if the estimate is too low.
        output_tokens: Of answers and thinking, as earlier jobs had them.
        output_at_most: As the requests bound it.
        known_from: How many earlier jobs ``output_tokens`` comes from; with none, it goes by the
            length of the answers that the recipe asks for.
        expected: The money for both expected numbers; without ``output_tokens``, for the input.
        at_most: The money for both numbers at most, also of what is asked again.
        real_time: What ``expected`` would cost without a batch.
        shared_tokens: With how many tokens all requests begin alike.
        cached_real_time: What ``expected`` would cost in real time if those were read from the
            provider's cache; only where that is less.
        rates_at_most: What ``at_most`` is reckoned with; its ``output`` is for thinking, too.
        is_batch_price: The price of batches is known; otherwise real time is reckoned with.
        reads_more: The service reads more than texts, such as images or what it searches, which is
            not counted; so there is no ``at_most``.
        warnings: What is wrong with the operator's own prices, in both languages.
        bounded_by: What would bound the output, as lines of ``parameters``.
        until_fits: How often each row may be asked again, which ``output_at_most`` is without.
        price: ``None`` if nobody says what the model costs.
        digest: Names this quote: another file, recipe or price has another one.
    """

    requests: int
    same: int = 0
    reused: int = 0
    answered: int = 0
    input_tokens: int
    input_at_most: int
    output_tokens: int | None = None
    output_at_most: int | None = None
    known_from: int = 0
    expected: Money | None = None
    at_most: Money | None = None
    real_time: Money | None = None
    shared_tokens: int = 0
    cached_real_time: Money | None = None
    rates_at_most: Rates | None = None
    is_batch_price: bool = True
    bounded_by: tuple[str, ...] = ()
    reads_more: bool = False
    warnings: tuple[str, ...] = ()
    until_fits: int = 0
    price: Price | None = None
    digest: str


class Ceiling(RecordPart):
    """The most that may be spent.

    Attributes:
        scope: ``job``: by one job; ``folder``: by the files of a folder and below it, in a month;
            ``all``: by all files, in a month.
        folder: Below ``inbox/``, for a folder's.
        at_most: What the file of budgets or the recipe said when the job was planned, or the stack
            if that is less.
        of_stack: Of all files, what the stack said.
    """

    scope: str
    folder: str = ""
    at_most: Money
    of_stack: Money | None = None

    @property
    def is_of_stack(self) -> bool:
        """Whether it is the stack's own that holds, and no file says less."""
        return self.at_most == self.of_stack


class Reservation(RecordPart):
    """What an attempt may cost at most, reserved by its claim of that number."""

    claim: int
    micros: int


class Balance(Record):
    """What was spent under a ceiling, and what is reserved by attempts that may still cost.

    It is never changed: the next one is created beside it, under the following number.
    ``spent`` has what nobody knows, such as a batch that vanished, as the most it may have cost.
    """

    spent: int = 0
    reserved: dict[str, Reservation] = Field(default_factory=dict)

    def reserved_by_others(self, attempt: str) -> int:
        return sum(each.micros for name, each in self.reserved.items() if name != attempt)

    def without(self, attempt: str) -> Balance:
        """The same, with the attempt's reservation given back."""
        left = {name: each for name, each in self.reserved.items() if name != attempt}
        return self.model_copy(update={"reserved": left})
