from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from shared.bucket.money import Money, Price, Quote
from shared.money.prices.price_file import parse_prices
from shared.money.quotes.quote import Counted, Experience, make_quote, part_of
from shared.money.quotes.quote_text import quote_in_short, quote_text
from shared.ports.output_bound import NO_OUTPUT, OutputBound
from shared.problems.problem import Bilingual
from shared.providers.bailian.profile import BAILIAN
from shared.providers.tione.profile import TIONE

BOUND = OutputBound(100, 0)
COUNTED = Counted(requests=1000, input_tokens=100_000, input_bytes=400_000, longest_bytes=32_000)
PRICES = parse_prices(BAILIAN.read_prices())
FLASH, PLUS, R1 = (PRICES.models[name] for name in ("qwen-flash", "qwen-plus", "deepseek-v3.2"))


def quote(
    price: Price | None = FLASH,
    bound: OutputBound = BOUND,
    experience: Experience | None = None,
    version: str = "etag",
    counted: Counted = COUNTED,
) -> Quote:
    return make_quote(counted, price, bound, experience, version)


def micros(made: Quote) -> tuple[int | None, int | None, int | None]:
    amounts = (made.expected, made.at_most, made.real_time)
    expected, at_most, real_time = (None if each is None else each.micros for each in amounts)
    return expected, at_most, real_time


def test_the_input_is_known_before_any_answer() -> None:
    # 0.075 and 0.75 CNY for a million tokens in a batch: 100,000 in, and at most 100,000 out.
    assert micros(quote()) == (7_500, 9_375 + 75_000, 15_000)


def test_earlier_jobs_tell_what_answers_cost() -> None:
    made = quote(experience=Experience(20_000, jobs=3))

    assert (made.output_tokens, made.known_from) == (20_000, 3)
    assert micros(made) == (7_500 + 15_000, 84_375, 45_000)


def test_at_most_is_for_every_row_being_asked_again_with_a_longer_answer_each_time() -> None:
    made = make_quote(COUNTED, FLASH, BOUND, None, "etag", until_fits=2)

    # Each request three times, with answers of 100 and 200 tokens and their reasons, and answers of
    # 100, 200 and 400 tokens.
    input_tokens = 3 * 125_000 + 1000 * (100 + 400) + 1000 * (200 + 400)
    assert made.at_most == Money(micros=input_tokens * 75 // 1000 + 700_000 * 750 // 1000, currency="CNY")
    assert (made.expected, made.output_at_most) == (quote().expected, quote().output_at_most)
    told = quote_text(made, "a.csv", "qwen-flash", Bilingual("百炼", "Bailian"), date(2026, 11, 28)).decode()
    assert "at most 700,000 tokens" in told
    assert "最多再问 2 次；“最多”按每行每次都要重问" in told
    assert "rows whose answers do not fit, up to 2 times" in told


def test_no_answer_is_expected_to_be_longer_than_it_may_be() -> None:
    assert quote(experience=Experience(10**9, jobs=1)).output_tokens == 100_000


@pytest.mark.parametrize("bound", [OutputBound(None, 0), OutputBound(100, None), OutputBound(None, None)])
def test_what_nothing_bounds_has_no_at_most(bound: OutputBound) -> None:
    made = quote(PLUS, bound)

    assert made.output_at_most is None
    assert made.at_most is None


def test_vectors_cost_their_input_alone() -> None:
    made = quote(bound=NO_OUTPUT)

    assert (made.output_tokens, made.output_at_most) == (0, 0)
    assert micros(made) == (7_500, 9_375, 15_000)


def test_an_answer_that_is_thought_about_has_the_price_of_thinking() -> None:
    made = quote(PLUS, OutputBound(100, 900), Experience(500_000, jobs=1))

    assert micros(made) == (40_000 + 2_000_000, 50_000 + 4_000_000, 80_000 + 4_000_000)


def test_without_a_price_there_are_tokens_alone() -> None:
    made = quote(None)

    assert micros(made) == (None, None, None)
    assert made.output_at_most == 100_000


def test_all_of_an_answer_may_be_thinking_where_one_bound_is_for_both() -> None:
    bound = TIONE.output_bound_for({"max_tokens": 100}, "by_default")

    assert (bound.tokens, bound.thinking) == (100, 100)
    assert quote(PLUS, bound).at_most == quote(PLUS, OutputBound(0, 100)).at_most
    assert TIONE.output_bound_for({"max_tokens": 100}, "never") == OutputBound(100, 0)


def test_without_a_batch_price_the_price_of_real_time_is_reckoned_with() -> None:
    made = quote(R1)

    assert not made.is_batch_price
    assert made.expected == made.real_time


def test_a_token_has_a_byte_at_least() -> None:
    assert quote(counted=Counted(1, 90, 100, 100)).input_at_most == 100


def test_a_long_request_makes_the_most_dearer() -> None:
    long = Counted(requests=1000, input_tokens=100_000_000, input_bytes=400_000_000, longest_bytes=600_000)

    made = quote(counted=long)

    assert made.at_most is not None
    assert made.at_most.micros == (125_000_000 * 600_000 + 100_000 * 6_000_000) // 1_000_000


@pytest.mark.parametrize("other", [quote(version="etag-2"), quote(PLUS), quote(None)])
def test_another_file_or_price_has_another_digest(other: Quote) -> None:
    assert other.digest != quote().digest
    assert quote().digest == quote(experience=Experience(1, 1)).digest


def test_people_read_the_quote_in_both_languages() -> None:
    made = quote(experience=Experience(20_000, jobs=3))

    text = quote_text(
        made, "客服/a.csv", "qwen-flash", Bilingual("百炼", "Bailian"), date(2026, 6, 9)
    ).decode()

    assert text.splitlines() == [
        "报价：客服/a.csv（百炼 qwen-flash）",
        "发送：1,000 行",
        "输入：约 100,000 Token（估算，一般相差不到 10%）",
        "输出：约 20,000 Token（按这个文件夹里最近 3 个任务）；最多 100,000 Token",
        "费用：约 ¥0.0225；最多 ¥0.0844（批量价）",
        "实时调用：约 ¥0.0450",
        "价格：qwen-flash，2026-06-08 的目录价（https://help.aliyun.com/zh/model-studio/model-pricing）",
        f"报价编号：{made.digest}（文件、配方或价格变了，编号就变）",
        "",
        "Quote: 客服/a.csv (qwen-flash at Bailian)",
        "Sent: 1,000 rows",
        "Input: about 100,000 tokens (estimated, usually within 10%)",
        "Output: about 20,000 tokens (by the last 3 jobs in this folder); at most 100,000 tokens",
        "Cost: about ¥0.0225; at most ¥0.0844 (batch price)",
        "In real time: about ¥0.0450",
        "Price: list price of qwen-flash on 2026-06-08 (https://help.aliyun.com/zh/model-studio/model-pricing)",
        f"Quote number: {made.digest} (it changes with the file, the recipe or the price)",
    ]


def test_what_is_not_known_is_said_with_what_to_do() -> None:
    made = quote(None, OutputBound(None, None, ("max_tokens: 500", "enable_thinking: false")))

    text = quote_text(made, "a.csv", "kimi", Bilingual("百炼", "Bailian"), date(2026, 11, 27)).decode()

    assert "the price of kimi is not known. Put your own prices into prices.yaml" in text
    assert "nothing limits the output. Write in parameters" in text
    assert "max_tokens: 500, enable_thinking: false" in text
    assert "max_tokens: 500、enable_thinking: false" in text


def test_an_old_price_is_told() -> None:
    text = quote_text(
        quote(), "a.csv", "qwen-flash", Bilingual("百炼", "Bailian"), date(2026, 11, 27)
    ).decode()

    assert "已经 172 天，请核对" in text
    assert "172 days old: check it" in text


def test_where_most_of_a_request_is_the_same_a_cache_may_beat_a_batch() -> None:
    alike = replace(COUNTED, requests=100, input_tokens=200_000, shared_tokens=1_900)

    made = quote(counted=alike, bound=OutputBound(10, 0), experience=Experience(5_000, jobs=1))

    # 11,900 tokens at 0.15 and 188,100 from the cache at 0.03, 500 of answers at 1.5 CNY a million.
    assert made.cached_real_time == Money(micros=1_785 + 5_643 + 750, currency="CNY")
    assert made.expected == Money(micros=15_000 + 375, currency="CNY")
    shown = quote_text(made, "a.csv", "qwen-flash", Bilingual("百炼", "Bailian"), date(2026, 6, 9)).decode()
    assert "只要约 ¥0.0082，比批量便宜" in shown
    assert "all requests begin with the same 1,900 tokens or so" in shown


@pytest.mark.parametrize(
    ("shared", "total", "bound"),
    [
        (1_000, 120_000, OutputBound(10, 0)),  # too few for a cache
        (1_100, 300_000, OutputBound(10, 0)),  # too little of all
        (1_900, 200_000, OutputBound(2_000, 0)),  # answers cost more than the cache saves
        (1_900, 200_000, OutputBound(None, 0)),  # nobody knows what answers cost
    ],
)
def test_no_cache_is_spoken_of_where_it_may_not_be_cheaper(
    shared: int, total: int, bound: OutputBound
) -> None:
    alike = replace(COUNTED, requests=100, input_tokens=total, shared_tokens=shared)

    assert quote(counted=alike, bound=bound).cached_real_time is None


def test_a_part_of_a_job_costs_its_share() -> None:
    made = quote(experience=Experience(20_000, jobs=3))

    part = part_of(made, 1, same=0, answered=999)

    assert (part.requests, part.input_tokens, part.output_tokens, part.output_at_most) == (1, 100, 20, 100)
    assert micros(part) == (23, 85, 45)
    assert part.price == made.price
    assert part_of(made, 1000, same=0, answered=0) == made


def test_rows_that_ask_the_same_are_no_part_of_what_a_part_costs() -> None:
    made = quote(counted=replace(COUNTED, same=1000))

    part = part_of(made, 2, same=700, answered=1298)

    assert (part.requests, part.same, part.answered, part.input_tokens) == (2, 700, 1298, 200)
    assert part_of(made, 1000, same=1000, answered=0) == made


def test_it_names_the_rows_that_have_their_answer() -> None:
    made = part_of(quote(counted=replace(COUNTED, same=1000)), 2, same=700, answered=1298)

    text = quote_text(made, "a.csv", "qwen-plus", Bilingual("百炼", "Bailian"), date(2026, 11, 28)).decode()

    assert "发送：2 行（另有 700 行提问相同，不重复发送；1,298 行之前已有答案，不再发送）" in text
    assert (
        "Sent: 2 rows (700 more ask the same and are not sent; 1,298 were answered before and are not sent again)"
        in text
    )


def test_in_short_it_is_the_money_and_what_would_bound_it() -> None:
    unbounded = OutputBound(None, None, ("max_tokens: 500", "enable_thinking: false"))

    assert quote_in_short(quote()) == (
        "约 ¥0.0075，只算输入；最多 ¥0.0844（批量价）",
        "about ¥0.0075 for the input alone; at most ¥0.0844 (batch price)",
    )
    assert quote_in_short(quote(None, unbounded)) == (
        "不知道价格；没有上限，可在 parameters 里写 max_tokens: 500、enable_thinking: false",
        "the price is not known; no ceiling: write max_tokens: 500, enable_thinking: false in parameters",
    )
