"""What a sample came to, in the words of the quote."""

from __future__ import annotations

from collections.abc import Iterator

from shared.bucket.money import Money, Quote
from shared.money.amounts import is_tiny, money_text, most_text, spoken_text
from shared.money.quotes.sample import SampleFigures
from shared.problems.problem import Bilingual, Problem
from shared.problems.render import render_problem


def quote_by(quote: Quote, sample: SampleFigures | None) -> Quote:
    """The quote as the sample has it, where that tells anything."""
    if sample is None or sample.output_tokens is None:
        return quote
    told = {
        "input_tokens": sample.input_tokens,
        "output_tokens": sample.output_tokens,
        "expected": sample.expected,
        "real_time": sample.real_time,
        "at_most": sample.at_most,
    }
    return quote.model_copy(update=told)


def input_by(sample: SampleFigures | None) -> Bilingual:
    """Where the input comes from."""
    if sample is None or sample.output_tokens is None:
        return Bilingual("估算，一般相差不到 10%", "estimated, usually within 10%")
    return Bilingual("估算，已按样本校正", "estimated, and corrected by the sample")


def output_by(sample: SampleFigures) -> Bilingual:
    """Where the expected output comes from, and how far it may be off."""
    rows, low, high = sample.answered, sample.output_low, sample.output_high
    if low is None or high is None:
        return Bilingual(
            "按样本的 1 行，看不出会差多少", "by the only row of the sample, so how far off is not known"
        )
    if low == high and rows == 1:  # which is all there are
        return Bilingual("按样本的 1 行", "by the 1 row of the sample")
    if low == high:
        return Bilingual(
            f"按样本的 {rows} 行，答案都一样长",
            f"by the {rows} rows of the sample, whose answers are equally long",
        )
    return Bilingual(
        f"按样本的 {rows} 行；90% 区间：{low:,} 到 {high:,}",
        f"by the {rows} rows of the sample; 90% interval: {low:,} to {high:,}",
    )


def money_by(sample: SampleFigures | None) -> Bilingual:
    """The interval of the cost, behind it."""
    if sample is None or sample.low is None or sample.high is None:
        return Bilingual("", "")
    if sample.low == sample.high or is_tiny(sample.high):
        return Bilingual("", "")
    low, high = money_text(sample.low, is_gain=True), most_text(sample.high)
    return Bilingual(f"（90% 区间：{low} 到 {high}）", f" (90% interval: {low} to {high})")


def earlier_sample_line(cost: Money) -> Bilingual:
    """Of versions of the file that were replaced before they were sent."""
    spent = spoken_text(cost)
    return Bilingual(
        f"另外：这个文件之前没有发送的版本，样本已经花了{_spaced(spent.zh)}",
        f"Besides: samples of earlier versions of this file, which were not sent, cost {spent.en}",
    )


def sample_lines(sample: SampleFigures, said: str, expect: str, provider: Bilingual) -> Iterator[Bilingual]:
    """What was asked, what it cost, how many answers are right, and why there was no more.

    Args:
        sample: Of the job.
        said: The provider's words, if it would not answer, or the variable of a key that it lacks.
        expect: The file's column that holds the right answers.
        provider: As people call it.
    """
    if sample.asked:
        yield Bilingual(
            f"样本：按实时价问了 {sample.asked} 行，回答 {sample.answered} 行{_misfits_zh(sample)}{_cost_zh(sample.cost)}{_unknown_zh(sample)}",
            f"Sample: {sample.asked} row{_s(sample.asked)} asked in real time, {sample.answered} answered{_misfits_en(sample)}{_cost_en(sample.cost)}{_unknown_en(sample)}",
        )
    yield from right_lines(sample, expect)
    if sample.why:
        has_no_key = sample.why == "sample_no_lane" and said
        code = "sample_no_key" if has_no_key else sample.why
        problem = Problem(code, values={"provider": provider, "reply": said or "–"})
        yield Bilingual(render_problem(problem, "zh"), render_problem(problem, "en"))


def right_lines(sample: SampleFigures, expect: str) -> Iterator[Bilingual]:
    """How many answers are right, if any were compared."""
    if sample.compared:
        share = f"{sample.right}/{sample.compared}（{100 * sample.right // sample.compared}%）"
        of = f"{sample.right} of {sample.compared} ({100 * sample.right // sample.compared}%)"
        yield Bilingual(
            f"样本正确率：{share}，与“{expect}”列对比（忽略首尾空白；5 与 5.0 算相同）",
            f'Right in the sample: {of}, compared with the column "{expect}" (blanks at both ends are ignored, and 5 is 5.0)',
        )


def _s(rows: int) -> str:
    return "" if rows == 1 else "s"


def _misfits_zh(sample: SampleFigures) -> str:
    return f"（其中 {sample.misfits} 个答案不合要求或被截断）" if sample.misfits else ""


def _misfits_en(sample: SampleFigures) -> str:
    if not sample.misfits:
        return ""
    do, were = ("does", "was") if sample.misfits == 1 else ("do", "were")
    return f" ({sample.misfits} of the answers {do} not fit or {were} cut off)"


def _cost_zh(cost: Money | None) -> str:
    return "" if cost is None else f"，花费{_spaced(spoken_text(cost).zh)}"


def _cost_en(cost: Money | None) -> str:
    return "" if cost is None else f", for {spoken_text(cost).en}"


def _spaced(said: str) -> str:
    """Chinese has no blank between its words, but before a sign."""
    return said if said.startswith("不") else f" {said}"


def _unknown_zh(sample: SampleFigures) -> str:
    return f"；{sample.unknown} 行没有等到答案，可能已计费，不再发送" if sample.unknown else ""


def _unknown_en(sample: SampleFigures) -> str:
    if not sample.unknown:
        return ""
    return f"; {sample.unknown} got no answer, may have been charged, and will not be sent again"
