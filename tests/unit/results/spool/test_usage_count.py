"""Each reply's tokens count once, with what was thought and cached, by the tier of its price."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared.bucket.money import TokenCounts
from shared.bucket.records.usage import Tokens
from shared.results.rendering import AnswerRenderer
from shared.results.spool.answer_spool import AnswerSpool
from shared.results.spool.usage_count import UsageCount
from tests.unit.results.test_part_rows import plan_of

PLAIN = {"prompt_tokens": 30, "completion_tokens": 12, "total_tokens": 42}
# More lines than are read before forms are learnt, so that both ways to read a line are gone.
LINES = 150


def line(number: int, usage: Any, **message: Any) -> bytes:
    said = {"role": "assistant", "content": "fine", **message}
    body = {
        "id": f"chatcmpl-{number}", "created": 1776432582, "model": "m", "usage": usage,
        "choices": [{"finish_reason": "stop", "index": 0, "message": said}],
    }  # fmt: skip
    response = {"status_code": 200, "request_id": f"r-{number}", "body": body}
    return json.dumps({"id": "r", "custom_id": f"q-{number}", "response": response, "error": None}).encode()


def counted(lines: list[bytes], tiers: tuple[int | None, ...] = (None,)) -> AnswerSpool:
    render = AnswerRenderer(
        plan_of("recipe_csv", "csv", "utf-8", ["a"]).model_copy(update={"answer_columns": {}})
    )
    with AnswerSpool([f"q-{number}" for number in range(LINES)], render, [].append, tiers) as spool:
        spool.add_lines(lines)
    return spool


def total(spool: AnswerSpool) -> TokenCounts:
    return sum(spool.usage.charged, TokenCounts())


@pytest.mark.parametrize(
    ("more", "thinking", "cached"),
    [
        ({}, 0, 0),
        ({"completion_tokens_details": {"reasoning_tokens": 7}, "prompt_tokens_details": {"cached_tokens": 5}}, 7, 5),
        ({"output_tokens_details": {"reasoning_tokens": 7}, "input_tokens_details": {"cached_tokens": 5}}, 7, 5),
        ({"completion_tokens_details": {"reasoning_tokens": None}, "prompt_tokens_details": None}, 0, 0),
        ({"completion_tokens_details": {}, "reasoning_tokens": 7, "cached_tokens": 5}, 7, 5),
        ({"thinking_tokens": 7, "prompt_cache_hit_tokens": 5, "prompt_cache_miss_tokens": 25}, 7, 5),
        ({"prompt_cache_hit_tokens": 9, "prompt_tokens_details": {"cached_tokens": 5}}, 0, 5),
        ({"reasoning_tokens": 999, "cached_tokens": 999}, 12, 30),
        ({"reasoning_tokens": -3, "cached_tokens": "5"}, 0, 0),
    ],
)  # fmt: skip
def test_what_was_thought_and_cached_is_counted_however_it_is_told(
    more: dict[str, Any], thinking: int, cached: int
) -> None:
    one = counted([line(0, {**PLAIN, **more})])
    many = counted([line(number, {**PLAIN, **more}) for number in range(LINES)])

    assert one.usage.tokens == Tokens(prompt=30, completion=12, total=42, thinking=thinking, cached=cached)
    assert total(one) == TokenCounts(
        input=30 - cached, cached=cached, output=0 if thinking else 12, thinking=12 if thinking else 0
    )
    assert many.usage.tokens == sum([one.usage.tokens] * LINES, Tokens())
    assert total(many) == sum([total(one)] * LINES, TokenCounts())


def test_an_answer_that_was_thought_about_has_that_price_though_nobody_counted_it() -> None:
    lines = [
        line(number, PLAIN, **({"reasoning_content": "Hm."} if number % 2 else {})) for number in range(LINES)
    ]

    spool = counted(lines)

    assert spool.usage.tokens.thinking == 0
    assert total(spool) == TokenCounts(input=30 * LINES, output=6 * LINES, thinking=6 * LINES)


def test_a_request_is_charged_by_the_tier_of_its_own_length() -> None:
    lengths = [100, 101, 200, 201, 99_999] * (LINES // 5)
    lines = [
        line(number, {"prompt_tokens": length, "completion_tokens": 1, "total_tokens": length + 1})
        for number, length in enumerate(lengths)
    ]

    spool = counted(lines, (100, 200, None))

    assert [5 * each.input // LINES for each in spool.usage.charged] == [100, 301, 100_200]
    assert [5 * each.output // LINES for each in spool.usage.charged] == [1, 2, 2]


def test_what_has_no_price_has_tokens_alone() -> None:
    spool = counted([line(0, PLAIN)], ())

    assert (spool.usage.tokens.total, spool.usage.charged) == (42, ())


@pytest.mark.parametrize("usage", [{}, None, {"prompt_tokens": None}, "many"])
def test_what_the_provider_did_not_count_is_not_charged(usage: Any) -> None:
    assert total(counted([line(0, usage)])) == TokenCounts()


@pytest.mark.parametrize("more", [{}, {"reasoning_tokens": 8}])
def test_what_stands_in_the_total_alone_was_thought_and_is_charged(more: dict[str, int]) -> None:
    usage = {"prompt_tokens": 30, "completion_tokens": 12, "total_tokens": 50, **more}

    spool = counted([line(number, usage) for number in range(LINES)])

    assert (spool.usage.tokens.completion, spool.usage.tokens.total) == (20 * LINES, 50 * LINES)
    assert total(spool) == TokenCounts(input=30 * LINES, thinking=20 * LINES)


def test_where_only_the_sum_is_told_it_is_that_of_the_request() -> None:
    assert counted([line(0, {"total_tokens": 42})]).usage.tokens == Tokens(prompt=42, total=42)


def test_the_last_tier_holds_for_what_is_longer() -> None:
    usage = UsageCount((100, 200))

    usage.add(500, 1, 501, 0, 0, is_thought=False)

    assert [each.input for each in usage.charged] == [0, 500]
