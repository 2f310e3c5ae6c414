"""The lines of a quote in English."""

from __future__ import annotations

from datetime import date

from shared.bucket.money import Price, Quote
from shared.money.amounts import about_text, most_text
from shared.money.prices.price_table import is_stale
from shared.money.quotes.quote import output_of_all_tries
from shared.money.quotes.sample import SampleFigures
from shared.money.quotes.sample_text import input_by, money_by, output_by
from shared.money.quotes.told_quote import ToldJob, about_if_known, asked_rows, is_whole


def lines_en(quote: Quote, job: ToldJob) -> list[str]:
    price, sample = quote.price, job.sample
    sent = quote.requests - asked_rows(sample)
    lines = [
        f"Quote: {job.path} ({job.model} at {job.provider})",
        f"Sent: {sent:,} {_one(sent, 'row', 'rows')}{_not_sent_en(quote, asked_rows(sample))}",
        f"Input: about {quote.input_tokens:,} tokens ({input_by(sample).en})",
        f"Output: {_output_en(quote, sample)}",
    ]
    if price is None:
        lines.append(
            f"Cost: the price of {job.model} is not known. Put your own prices into prices.yaml at the bucket's root"
        )
    else:
        lines.append(f"Cost: {money_en(quote, sample)}")
        lines.append(
            f"In real time: {about_if_known(quote.real_time).en}{'' if is_whole(quote) else ' for the input alone'}{_cached_en(quote)}"
        )
        lines.append(_price_en(price, job.today))
    if quote.until_fits:
        times = "once" if quote.until_fits == 1 else f"{quote.until_fits} times"
        lines.append(f"Asked again: rows whose answers do not fit, up to {times}{_again_en(quote)}")
    lines += job.asked
    if quote.output_at_most is None and quote.bounded_by:
        lines.append(
            f"No ceiling: nothing limits the output. Write in parameters, or in each body of request lines: {', '.join(quote.bounded_by)}"
        )
    if quote.reads_more:
        lines.append("No ceiling: images, sounds, films, files and what is searched are not counted")
    return [*lines, f"Quote number: {quote.digest} (it changes with the file, the recipe or the price)"]


def money_en(quote: Quote, sample: SampleFigures | None) -> str:
    about = about_if_known(quote.expected).en + ("" if is_whole(quote) else " for the input alone")
    about += money_by(sample).en
    most = "" if quote.at_most is None else f"; at most {most_text(quote.at_most)}"
    return (
        about
        + most
        + (" (batch price)" if quote.is_batch_price else " (real-time price: no batch price is known)")
    )


def _not_sent_en(quote: Quote, asked: int) -> str:
    rows = (
        (asked, "was asked for the sample", "were asked for the sample"),
        (quote.same, "more asks the same and is not sent", "more ask the same and are not sent"),
        (
            quote.reused,
            "was answered before and gets that answer",
            "were answered before and get that answer",
        ),
        (
            quote.answered,
            "was answered before and is not sent again",
            "were answered before and are not sent again",
        ),
    )
    said = "; ".join(f"{count:,} {_one(count, one, more)}" for count, one, more in rows if count)
    return f" ({said})" if said else ""


def _one(count: int, one: str, more: str) -> str:
    return one if count == 1 else more


def _again_en(quote: Quote) -> str:
    if quote.at_most is None:
        return ""
    return "; the maximum assumes that every row is asked again every time, with a longer answer"


def _output_en(quote: Quote, sample: SampleFigures | None) -> str:
    if quote.requests == 0:
        return "none (nothing is sent)"
    if quote.output_at_most == 0:
        return "none (vectors are not charged)"
    about = "not known yet (no job like it in this folder so far)"
    if quote.output_tokens is not None:
        jobs = "the last job" if quote.known_from == 1 else f"the last {quote.known_from} jobs"
        by = f"by {jobs} in this folder" if quote.known_from else "by the length of the labels or texts"
        by = output_by(sample).en if sample and sample.output_tokens is not None else by
        about = f"about {quote.output_tokens:,} tokens ({by})"
    most = output_of_all_tries(quote)
    return about if most is None else f"{about}; at most {most:,} tokens"


def _price_en(price: Price, today: date) -> str:
    old = f", {(today - price.read_on).days} days old: check it" if is_stale(price, today) else ""
    whose = "your own price" if price.is_own else "list price"
    return f"Price: {whose} of {price.model} on {price.read_on}{old} ({price.source})"


def _cached_en(quote: Quote) -> str:
    if quote.cached_real_time is None:
        return ""
    return (
        f"; all requests begin with the same {quote.shared_tokens:,} tokens or so, and if the cache has"
        f" them each time, {about_text(quote.cached_real_time).en}, which is less than in a batch"
    )
