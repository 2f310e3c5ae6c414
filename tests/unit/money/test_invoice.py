"""What a job cost, over all its attempts and retries, by the price that stood in its quote."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from shared.bucket.attempt import Attempt, JobId, retry_job_id_for
from shared.bucket.keys import attempt_key, record_key, settled_key
from shared.bucket.money import Money, Price, Quote, TokenCounts
from shared.bucket.records.outcome import Outcome, SettledShard
from shared.bucket.records.usage import Tokens
from shared.money.invoice import cost_of
from shared.money.prices.price_file import parse_prices
from shared.ports.provider import BatchStatus
from shared.providers.bailian.profile import BAILIAN
from tests.support.builders import JOB
from tests.support.fake_provider import result_line
from tests.support.pipeline import Pipeline

PRICES = parse_prices(BAILIAN.read_prices())
PLUS, NO_BATCH = PRICES.models["qwen-plus"], PRICES.models["deepseek-v3.2"]
RETRY = retry_job_id_for(JOB)
# A million tokens of qwen-plus: 0.8 in, 2 out, 8 out with thinking; half of it in a batch.
USAGE = {"prompt_tokens": 1_000, "completion_tokens": 100, "total_tokens": 1_100}
ONE_ROW = (400 + 100, 800 + 200)
THOUGHT = {**USAGE, "completion_tokens_details": {"reasoning_tokens": 60}}
LONG = {"prompt_tokens": 200_000, "completion_tokens": 100, "total_tokens": 200_100}


def quoted(price: Price | None = PLUS, expected: int | None = 1_000, **quote: Any) -> Pipeline:
    """A job of three rows whose plan has a quote."""
    job = Pipeline()
    made = Quote(
        requests=3, input_tokens=3_000, input_at_most=3_750, output_tokens=None if expected is None else 300,
        expected=cny(expected) if expected is not None else cny(1), at_most=cny(9_000), price=price,
        digest="d" * 12, **quote,
    )  # fmt: skip
    job.plan = job.plan.model_copy(update={"quote": made})
    job.store.put(record_key(JOB, "plan.json"), job.plan.to_bytes())
    return job


def cny(micros: int) -> Money:
    return Money(micros=micros, currency="CNY")


class Answers:
    """Ends every batch: each row has the usage that is told next for it, or fails for a while."""

    def __init__(self, job: Pipeline, **usages: list[Mapping[str, Any] | None]) -> None:
        self.job = job
        self.usages = usages

    def __call__(self) -> None:
        for each in self.job.provider.unfinished():
            self.job.provider.answer_all(each, BatchStatus.COMPLETED, self._answer)

    def _answer(self, line: dict[str, Any]) -> dict[str, Any]:
        usages = self.usages[line["custom_id"]]
        usage = usages.pop(0) if len(usages) > 1 else usages[0]
        if usage is None:
            return result_line(line["custom_id"], status=500)
        said = result_line(line["custom_id"])
        said["response"]["body"]["usage"] = dict(usage)
        return said


def test_only_what_the_provider_counted_is_charged_at_the_price_of_batches() -> None:
    job = quoted()
    job.drain(Answers(job, a=[USAGE], b=[USAGE], c=[{}]))

    bill = job.ledger().bill

    assert bill is not None
    assert (bill.cost, bill.real_time) == (cny(2 * ONE_ROW[0]), cny(2 * ONE_ROW[1]))
    assert (bill.saved, bill.quoted, bill.over_quote) == (cny(1_000), cny(1_000), cny(0))
    assert (bill.quoted_at_most, bill.model, bill.is_batch_price) == (cny(9_000), "qwen-plus", True)


def test_each_request_has_the_price_of_its_length_and_of_its_thinking() -> None:
    job = quoted()
    job.drain(Answers(job, a=[USAGE], b=[THOUGHT], c=[LONG]))

    ledger = job.ledger()

    assert ledger.bill is not None
    assert ledger.bill.cost == cny(500 + (400 + 400) + (240_000 + 1_000))
    assert ledger.tokens == Tokens(prompt=202_000, completion=300, total=202_300, thinking=60)


def test_attempts_are_billed_one_by_one_and_add_up() -> None:
    job = quoted()
    job.drain(Answers(job, a=[USAGE], b=[None, USAGE], c=[None, THOUGHT]))

    ledger = job.ledger()

    assert [(each.attempt, each.cost) for each in ledger.attempts] == [(1, cny(500)), (2, cny(500 + 800))]
    assert ledger.bill is not None
    assert ledger.bill.cost == cny(1_800)
    assert sum((each.tokens for each in ledger.attempts), Tokens()) == ledger.tokens


def test_a_retry_costs_its_own_rows_beside_those_of_the_jobs_before() -> None:
    job = quoted()
    answers = Answers(job, a=[USAGE], b=[None], c=[None])
    job.drain(answers)
    answers.usages |= {"b": [USAGE], "c": [THOUGHT]}

    job.retry()
    job.drain(answers)

    first, second = job.ledger(), job.ledger(RETRY)
    assert first.bill
    assert second.bill
    assert (first.bill.cost, second.bill.cost) == (cny(500), cny(500 + 500 + 800))
    assert first.bill.over_quote == cny(500 - 1_000)
    assert second.bill.quoted
    assert second.bill.over_quote == cny(1_300) - second.bill.quoted
    assert [(each.retries, each.cost) for each in second.attempts] == [(0, cny(500)), (1, cny(1_300))]
    assert second.tokens == sum((each.tokens for each in second.attempts), Tokens())


def test_a_price_that_changes_while_a_job_is_open_changes_no_bill() -> None:
    dear = PLUS.model_copy(update={"model": "dear", "tiers": PRICES.models["qwen-max"].tiers})
    job = quoted(dear)
    job.drain(Answers(job, a=[USAGE], b=[USAGE], c=[USAGE]))

    bill = job.ledger().bill

    assert bill is not None
    assert (bill.model, bill.cost) == ("dear", cny(3 * (1_200 + 480)))


def test_without_a_known_price_of_batches_that_of_real_time_is_charged() -> None:
    job = quoted(NO_BATCH)
    job.drain(Answers(job, a=[USAGE], b=[{}], c=[{}]))

    bill = job.ledger().bill

    assert bill is not None
    assert (bill.cost, bill.saved, bill.is_batch_price) == (cny(2_000 + 300), cny(0), False)


def test_where_no_output_was_expected_there_is_no_difference() -> None:
    job = quoted(expected=None)
    job.drain(Answers(job, a=[USAGE], b=[USAGE], c=[USAGE]))

    bill = job.ledger().bill

    assert bill is not None
    assert (bill.quoted, bill.over_quote) == (None, None)


@pytest.mark.parametrize("has_quote", [True, False])
def test_without_a_price_there_are_tokens_and_no_money(*, has_quote: bool) -> None:
    job = quoted(None) if has_quote else Pipeline()
    job.drain(Answers(job, a=[USAGE], b=[USAGE], c=[THOUGHT]))

    ledger = job.ledger()

    assert (ledger.bill, ledger.tokens.total) == (None, 3_300)
    assert [(each.tokens.thinking, each.cost) for each in ledger.attempts] == [(60, None)]


def test_records_that_an_older_version_wrote_meanwhile_are_billed_by_their_sums() -> None:
    job = quoted()
    job.submit(Attempt(JOB, 1, 1))
    Answers(job, a=[USAGE], b=[USAGE], c=[USAGE])()
    tokens = Tokens(prompt=3_000, completion=300, total=3_300)
    part = job.store
    part.put("work/part", b"".join(b"%s,answered\n" % each for each in (b"a", b"b", b"c")))
    outcome = Outcome(
        kind="final", batch_id="b", batch_status="completed", decided_at=job.clock.now(), settled=3,
        content_key="work/part", by_status={"answered": 3}, tokens=tokens,
    )  # fmt: skip
    job.records.create(attempt_key(Attempt(JOB, 1, 1), "outcome.json"), outcome)
    settled = SettledShard(
        shard=1,
        attempt=1,
        part_key="work/part",
        rows=3,
        by_status={"answered": 3},
        tokens=tokens,
        batches=("b",),
    )
    job.records.create(settled_key(JOB, 1), settled)
    job.drain()

    bill = job.ledger().bill

    assert bill is not None
    assert bill.cost == cny(3 * ONE_ROW[0])


def test_each_tier_is_rounded_up_to_a_millionth() -> None:
    counted = (TokenCounts(input=1, output=1), TokenCounts(input=1))

    batch, real_time = cost_of(Tokens(prompt=2, completion=1, total=3), counted, PLUS)

    # 0.4 + 1 and 1.2 millionths, and twice as much in real time.
    assert (batch, real_time) == (cny(2 + 2), cny(3 + 3))


def test_a_hint_that_comes_late_changes_no_bill() -> None:
    job = quoted()
    job.drain(Answers(job, a=[USAGE], b=[USAGE], c=[USAGE]))
    before = job.store.get(record_key(JOB, "ledger.json"))

    job.collect(Attempt(JobId(JOB), 1, 1))

    assert job.store.get(record_key(JOB, "ledger.json")) == before
