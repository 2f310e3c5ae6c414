from __future__ import annotations

from dataclasses import replace

import pytest

from shared.bucket.money import Quote, TokenCounts
from shared.bucket.records.outcome import Outcome
from shared.bucket.records.plan import PlannedShard
from shared.bucket.records.submission import Submission, SubmissionKind
from shared.bucket.records.usage import Tokens
from shared.money.prices.price_file import parse_prices
from shared.money.quotes.quote import Counted, make_quote
from shared.money.worst_case import ALL_RESERVED, NOTHING, Charged, charged_by, worst_case
from shared.ports.output_bound import OutputBound
from shared.providers.bailian.profile import BAILIAN
from tests.support.fakes import START

PRICES = parse_prices(BAILIAN.read_prices()).models
# 0.075 CNY for a million tokens in, 0.75 out.
FLASH = PRICES["qwen-flash"]
SHARD = PlannedShard(
    shard=1, rows=100, requests=100, size_bytes=40_000, rows_key="", requests_key="", input_tokens=10_000
)
BOUND = OutputBound(1000, 0)
COUNTED = Counted(requests=100, input_tokens=10_000, input_bytes=40_000, longest_bytes=32_000)


def quoted(bound: OutputBound = BOUND, model: str = "qwen-flash") -> Quote:
    return make_quote(COUNTED, PRICES[model], bound, None, "etag")


def sent(**changes: object) -> Submission:
    fields: dict[str, object] = {
        "batch_id": "b",
        "batch_name": "n",
        "submitted_at": START,
        "deadline_at": START,
    }
    return Submission.model_validate(fields | changes)


def outcome(prompt: int, completion: int, uncounted: int = 0, total: int = 0) -> Outcome:
    tokens = Tokens(prompt=prompt, completion=completion, total=total)
    return Outcome(
        kind="final", batch_id="b", batch_status="completed", decided_at=START, settled=100,
        tokens=tokens, uncounted=uncounted,
    )  # fmt: skip


def test_the_shards_together_are_no_more_than_the_quote_says() -> None:
    worst = worst_case(quoted(), SHARD, 100, 40_000)

    assert worst == quoted().at_most
    assert worst
    assert worst.micros == -(-12_500 * 75 // 1000) + 75_000


def test_rows_that_are_sent_again_cost_no_more_tokens_than_they_have_bytes() -> None:
    worst = worst_case(quoted(), SHARD, 2, 800)

    assert worst
    assert worst.micros == 60 + 1500


def test_thinking_is_charged_as_such() -> None:
    worst = worst_case(quoted(OutputBound(500, 500), "qwen-plus"), SHARD, 100, 0)

    assert worst
    assert worst.micros == 100_000 * 4  # 8 CNY a million, by half


@pytest.mark.parametrize("bound", [OutputBound(None, 0), OutputBound(10, None)])
def test_what_nothing_bounds_has_no_worst_case(bound: OutputBound) -> None:
    assert worst_case(quoted(bound), SHARD, 1, 1) is None


def test_what_was_counted_is_charged() -> None:
    assert charged_by(quoted(), SHARD, sent(), outcome(8_000, 20_000)) == Charged(600 + 15_000, 0)


def test_each_row_is_charged_by_its_own_tier_and_not_by_the_longest_ones() -> None:
    quote = make_quote(replace(COUNTED, longest_bytes=10**6), PRICES["qwen-plus"], BOUND, None, "etag")
    tiers = (TokenCounts(input=1_000_000, output=1_000_000), TokenCounts(input=1_000_000))
    decided = outcome(2_000_000, 1_000_000).model_copy(update={"charged": tiers})

    assert charged_by(quote, SHARD, sent(), decided) == Charged(400_000 + 1_000_000 + 1_200_000, 0)


def test_rows_of_which_nobody_told_the_tokens_may_have_cost_the_most() -> None:
    charged = charged_by(quoted(), SHARD, sent(), outcome(8_000, 20_000, uncounted=3))

    assert charged.perhaps == -(-(4_500 * 75 + 3_000 * 750) // 1000)
    assert charged.within(10**9) == charged.known + charged.perhaps
    assert charged.within(charged.known + 1) == charged.known + 1
    assert charged.within(0) == charged.known


def test_what_was_not_sent_costs_nothing_unless_nobody_knows() -> None:
    unsent = sent(batch_id=None, kind=SubmissionKind.CANCELLED)
    perhaps = sent(batch_id=None, kind=SubmissionKind.REFUSED, rejected_code="perhaps_sent")

    assert charged_by(quoted(), SHARD, unsent, outcome(0, 0, uncounted=9)) == NOTHING
    assert charged_by(quoted(), SHARD, perhaps, outcome(0, 0)) == ALL_RESERVED
