"""The lines of a quote in Chinese."""

from __future__ import annotations

from datetime import date

from shared.bucket.money import Price, Quote
from shared.money.amounts import about_text, most_text
from shared.money.prices.price_table import is_stale
from shared.money.quotes.quote import output_of_all_tries
from shared.money.quotes.sample import SampleFigures
from shared.money.quotes.sample_text import input_by, money_by, output_by
from shared.money.quotes.told_quote import ToldJob, about_if_known, asked_rows, is_whole


def lines_zh(quote: Quote, job: ToldJob) -> list[str]:
    price, sample = quote.price, job.sample
    lines = [
        f"报价：{job.path}（{job.provider} {job.model}）",
        f"发送：{quote.requests - asked_rows(sample):,} 行{_not_sent_zh(quote, asked_rows(sample))}",
        f"输入：约 {quote.input_tokens:,} Token（{input_by(sample).zh}）",
        f"输出：{_output_zh(quote, sample)}",
    ]
    if price is None:
        lines.append(f"费用：不知道 {job.model} 的价格。可以把自己的价格写进存储桶根目录的 prices.yaml")
    else:
        lines.append(f"费用：{money_zh(quote, sample)}")
        lines.append(
            f"实时调用：{about_if_known(quote.real_time).zh}{'' if is_whole(quote) else '，只算输入'}{_cached_zh(quote)}"
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


def money_zh(quote: Quote, sample: SampleFigures | None) -> str:
    about = (
        about_if_known(quote.expected).zh + ("" if is_whole(quote) else "，只算输入") + money_by(sample).zh
    )
    most = "" if quote.at_most is None else f"；最多 {most_text(quote.at_most)}"
    return about + most + ("（批量价）" if quote.is_batch_price else "（不知道批量价，按实时价算）")


def _not_sent_zh(quote: Quote, asked: int) -> str:
    sampled = f"{asked:,} 行已作为样本问过" if asked else ""
    same = f"另有 {quote.same:,} 行提问相同，不重复发送" if quote.same else ""
    reused = f"{quote.reused:,} 行以前问过，沿用当时的答案" if quote.reused else ""
    answered = f"{quote.answered:,} 行之前已有答案，不再发送" if quote.answered else ""
    said = "；".join(filter(None, (sampled, same, reused, answered)))
    return f"（{said}）" if said else ""


def _again_zh(quote: Quote) -> str:
    return "" if quote.at_most is None else "；“最多”按每行每次都要重问、每次都加长来算"


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


def _price_zh(price: Price, today: date) -> str:
    old = f"，已经 {(today - price.read_on).days} 天，请核对" if is_stale(price, today) else ""
    whose = "您自己写的价格" if price.is_own else "目录价"
    return f"价格：{price.model}，{price.read_on} 的{whose}{old}（{price.source}）"


def _cached_zh(quote: Quote) -> str:
    if quote.cached_real_time is None:
        return ""
    return f"；所有请求的开头有约 {quote.shared_tokens:,} Token 相同，如果都命中缓存，只要{about_text(quote.cached_real_time).zh}，比批量便宜"
