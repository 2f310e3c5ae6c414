"""The quote as people read it, in Chinese and then in English."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from shared.bucket.money import Quote
from shared.money.quotes.quote_in_chinese import lines_zh, money_zh
from shared.money.quotes.quote_in_english import lines_en, money_en
from shared.money.quotes.sample import SampleFigures
from shared.money.quotes.sample_text import quote_by, sample_lines
from shared.money.quotes.told_quote import ToldJob
from shared.problems.problem import Bilingual


class ToldSample(NamedTuple):
    """A sample with what is said of it beside its figures; see ``sample_lines``."""

    figures: SampleFigures
    said: str = ""
    expect: str = ""


def quote_text(
    quote: Quote,
    path: str,
    model: str,
    provider: Bilingual,
    today: date,
    *,
    more: Sequence[Bilingual] = (),
    sample: ToldSample | None = None,
) -> bytes:
    """About ten lines in each language; ``more`` are further ones, of what the job waits for."""
    lines = [*quote_lines(quote, path, model, provider, today, sample=sample), *more]
    warnings = ["", *(f"提示 Warning: {each}" for each in quote.warnings)] if quote.warnings else []
    both = [*(line.zh for line in lines), "", *(line.en for line in lines)]
    return "\n".join([*both, *warnings, ""]).encode()


def quote_lines(
    quote: Quote,
    path: str,
    model: str,
    provider: Bilingual,
    today: date,
    *,
    sample: ToldSample | None = None,
) -> list[Bilingual]:
    """Each says what it is about, then a colon; the first one whose quote it is.

    Args:
        quote: Whatever is known of the cost.
        path: The dropped file's, below ``inbox/``.
        model: As the job names it.
        provider: Who charges it, as people say.
        today: Old prices are told.
        sample: Goes before what was known without it.
    """
    figures = sample.figures if sample else None
    shown = quote_by(quote, figures)
    asked = [*sample_lines(*sample, provider)] if sample else []
    zh, en = ([each[language] for each in asked] for language in range(2))
    chinese = lines_zh(shown, ToldJob(path, model, provider.zh, today, figures, zh))
    english = lines_en(shown, ToldJob(path, model, provider.en, today, figures, en))
    return [Bilingual(*both) for both in zip(chinese, english, strict=True)]


def quote_in_short(quote: Quote, sample: SampleFigures | None = None) -> Bilingual:
    """What it costs, and what would bound that, in a line."""
    quote = quote_by(quote, sample)
    if quote.price is None:
        zh, en = "不知道价格", "the price is not known"
    else:
        zh, en = money_zh(quote, sample), money_en(quote, sample)
    if quote.reads_more:
        return Bilingual(
            f"{zh}；没有上限，图片、语音、搜索等不算在内",
            f"{en}; no ceiling: images, sounds, searches are not counted",
        )
    most = quote.output_at_most is None and quote.bounded_by
    return Bilingual(
        f"{zh}；没有上限，可在 parameters 里写 {'、'.join(quote.bounded_by)}" if most else zh,
        f"{en}; no ceiling: write {', '.join(quote.bounded_by)} in parameters" if most else en,
    )
