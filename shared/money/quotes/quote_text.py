"""The quote as people read it, in Chinese and then in English."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from shared.bucket.money import Money, Price, Quote
from shared.money.amounts import about_text, most_text
from shared.money.prices.price_table import is_stale
from shared.money.quotes.quote import output_of_all_tries
from shared.money.quotes.sample import SampleFigures
from shared.money.quotes.sample_text import input_by, money_by, output_by, quote_by, sample_lines
from shared.problems.problem import Bilingual


class ToldSample(NamedTuple):
    """A sample with what is said of it beside its figures; see ``sample_lines``."""

    figures: SampleFigures
    said: str = ""
    expect: str = ""


class _Job(NamedTuple):
    """What stands in a quote beside its figures; ``asked`` is said of the sample."""

    path: str
    model: str
    provider: str
    today: date
    sample: SampleFigures | None
    asked: Sequence[str]


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
    chinese = _lines_zh(shown, _Job(path, model, provider.zh, today, figures, zh))
    english = _lines_en(shown, _Job(path, model, provider.en, today, figures, en))
    return [Bilingual(*both) for both in zip(chinese, english, strict=True)]


def quote_in_short(quote: Quote, sample: SampleFigures | None = None) -> Bilingual:
    """What it costs, and what would bound that, in a line."""
    quote = quote_by(quote, sample)
    if quote.price is None:
        zh, en = "不知道价格", "the price is not known"
    else:
        zh, en = _money_zh(quote, sample), _money_en(quote, sample)
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


def _asked(sample: SampleFigures | None) -> int:
    """Rows that were asked for the sample, and so are not sent."""
    return sample.answered + sample.unknown if sample else 0


def _not_sent_zh(quote: Quote, asked: int) -> str:
    sampled = f"{asked:,} 行已作为样本问过" if asked else ""
    same = f"另有 {quote.same:,} 行提问相同，不重复发送" if quote.same else ""
    reused = f"{quote.reused:,} 行以前问过，沿用当时的答案" if quote.reused else ""
    said = "；".join(filter(None, (sampled, same, reused)))
    return f"（{said}）" if said else ""


def _not_sent_en(quote: Quote, asked: int) -> str:
    sampled = f"{asked:,} were asked for the sample" if asked else ""
    same = f"{quote.same:,} more ask the same and are not sent" if quote.same else ""
    reused = f"{quote.reused:,} were answered before and get that answer" if quote.reused else ""
    said = "; ".join(filter(None, (sampled, same, reused)))
    return f" ({said})" if said else ""


def _lines_zh(quote: Quote, job: _Job) -> list[str]:
    price, sample = quote.price, job.sample
    lines = [
        f"报价：{job.path}（{job.provider} {job.model}）",
        f"发送：{quote.requests - _asked(sample):,} 行{_not_sent_zh(quote, _asked(sample))}",
        f"输入：约 {quote.input_tokens:,} Token（{input_by(sample).zh}）",
        f"输出：{_output_zh(quote, sample)}",
    ]
    if price is None:
        lines.append(f"费用：不知道 {job.model} 的价格。可以把自己的价格写进存储桶根目录的 prices.yaml")
    else:
        lines.append(f"费用：{_money_zh(quote, sample)}")
        lines.append(
            f"实时调用：{_about(quote.real_time).zh}{'' if _is_whole(quote) else '，只算输入'}{_cached_zh(quote)}"
        )
        lines.append(_price_zh(price, job.today))
    if quote.until_fits:
        lines.append(f"重新询问：答案不合要求的行最多再问 {quote.until_fits} 次{_again_zh(quote)}")
    lines += job.asked
    if quote.output_at_most is None and quote.bounded_by:
        lines.append(
            f"没有上限：输出多长没有限制。请在 parameters（请求文件是每行的 body）里写 {'、'.join(quote.bounded_by)}"
        )
    if quote.reads_more:
        lines.append("没有上限：图片、语音、视频、文件和联网搜索不算在内")
    return [*lines, f"报价编号：{quote.digest}（文件、配方或价格变了，编号就变）"]


def _lines_en(quote: Quote, job: _Job) -> list[str]:
    price, sample = quote.price, job.sample
    lines = [
        f"Quote: {job.path} ({job.model} at {job.provider})",
        f"Sent: {quote.requests - _asked(sample):,} rows{_not_sent_en(quote, _asked(sample))}",
        f"Input: about {quote.input_tokens:,} tokens ({input_by(sample).en})",
        f"Output: {_output_en(quote, sample)}",
    ]
    if price is None:
        lines.append(
            f"Cost: nobody has said what {job.model} costs. Put your prices into prices.yaml at the bucket's root"
        )
    else:
        lines.append(f"Cost: {_money_en(quote, sample)}")
        lines.append(
            f"In real time: {_about(quote.real_time).en}{'' if _is_whole(quote) else ' for the input alone'}{_cached_en(quote)}"
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
    return [*lines, f"Quote number: {quote.digest} (another file, recipe or price has another)"]


def _again_zh(quote: Quote) -> str:
    return "" if quote.at_most is None else "；“最多”按每行每次都要重问、每次都加长来算"


def _again_en(quote: Quote) -> str:
    if quote.at_most is None:
        return ""
    return '; "at most" reckons that every row is asked again each time, with a longer answer'


def _output_zh(quote: Quote, sample: SampleFigures | None) -> str:
    if quote.requests == 0:
        return "没有（不发送任何行）"
    if quote.output_at_most == 0:
        return "没有（向量不计输出）"
    about = "还不知道（这个文件夹里还没有同样的任务）"
    if quote.output_tokens is not None:
        by = f"按这个文件夹里最近 {quote.known_from} 个任务" if quote.known_from else "按标签或原文的长度估算"
        by = output_by(sample).zh if sample and sample.output_tokens is not None else by
        about = f"约 {quote.output_tokens:,} Token（{by}）"
    most = output_of_all_tries(quote)
    return about if most is None else f"{about}；最多 {most:,} Token"


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


def _money_zh(quote: Quote, sample: SampleFigures | None) -> str:
    about = _about(quote.expected).zh + ("" if _is_whole(quote) else "，只算输入") + money_by(sample).zh
    most = "" if quote.at_most is None else f"；最多 {most_text(quote.at_most)}"
    return about + most + ("（批量价）" if quote.is_batch_price else "（不知道批量价，按实时价算）")


def _money_en(quote: Quote, sample: SampleFigures | None) -> str:
    about = _about(quote.expected).en + ("" if _is_whole(quote) else " for the input alone")
    about += money_by(sample).en
    most = "" if quote.at_most is None else f"; at most {most_text(quote.at_most)}"
    return (
        about
        + most
        + (" (batch price)" if quote.is_batch_price else " (real-time price: no batch price is known)")
    )


def _price_zh(price: Price, today: date) -> str:
    old = f"，已经 {(today - price.read_on).days} 天，请核对" if is_stale(price, today) else ""
    whose = "您自己写的价格" if price.is_own else "目录价"
    return f"价格：{price.model}，{price.read_on} 的{whose}{old}（{price.source}）"


def _price_en(price: Price, today: date) -> str:
    old = f", {(today - price.read_on).days} days old: check it" if is_stale(price, today) else ""
    whose = "your own price" if price.is_own else "list price"
    return f"Price: {whose} of {price.model} on {price.read_on}{old} ({price.source})"


def _cached_zh(quote: Quote) -> str:
    if quote.cached_real_time is None:
        return ""
    return f"；所有请求的开头有约 {quote.shared_tokens:,} Token 相同，如果都命中缓存，只要{about_text(quote.cached_real_time).zh}，比批量便宜"


def _cached_en(quote: Quote) -> str:
    if quote.cached_real_time is None:
        return ""
    return (
        f"; all requests begin with the same {quote.shared_tokens:,} tokens or so, and if the cache has"
        f" them each time, {about_text(quote.cached_real_time).en}, which is less than in a batch"
    )


def _is_whole(quote: Quote) -> bool:
    """Whether the expected money is for the output, too."""
    return quote.output_tokens is not None


def _about(amount: Money | None) -> Bilingual:
    return Bilingual("?", "?") if amount is None else about_text(amount)
