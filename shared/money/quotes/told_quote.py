"""What a quote says in either language, beside its figures."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from shared.bucket.money import Money, Quote
from shared.money.amounts import about_text
from shared.money.quotes.sample import SampleFigures
from shared.problems.problem import Bilingual


class ToldJob(NamedTuple):
    """What stands in a quote beside its figures; ``asked`` is said of the sample."""

    path: str
    model: str
    provider: str
    today: date
    sample: SampleFigures | None
    asked: Sequence[str]


def asked_rows(sample: SampleFigures | None) -> int:
    """Rows that were asked for the sample, and so are not sent."""
    return sample.answered + sample.unknown if sample else 0


def is_whole(quote: Quote) -> bool:
    """Whether the expected money is for the output, too."""
    return quote.output_tokens is not None


def about_if_known(amount: Money | None) -> Bilingual:
    return Bilingual("?", "?") if amount is None else about_text(amount)
