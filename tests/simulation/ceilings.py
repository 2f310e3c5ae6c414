"""What may be spent in some runs, and what must be true of it: billed, spent and reserved."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from shared.bucket.attempt import Attempt, JobId, parse_attempt
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import BUDGET, MONEY, balance_prefix
from shared.bucket.money import Balance, TokenCounts, cost
from shared.bucket.records.plan import Plan
from shared.money.months import month_of
from shared.money.prices.price_file import parse_prices
from shared.money.worst_case import Charged, charged_by
from shared.ports.provider import BatchStatus
from shared.providers.bailian.profile import BAILIAN
from tests.simulation.answers import MAX_TOKENS, tokens_of
from tests.simulation.expected import came_for_a_deleted_one
from tests.simulation.pipeline import Pipeline
from tests.simulation.samples import sample_cost, sample_record
from tests.simulation.service import Batch
from tests.support.fakes import START

MODEL = "qwen-flash"
# A question of the simulation costs less than this, in millionths.
_QUESTION = 20
# What is spent in the first month is known by then, and waiting jobs have had a part of the next.
_RAISED_AFTER = timedelta(days=12)


@dataclass(frozen=True)
class Spending:
    """What may be spent in a run, in millionths; ``None`` for anything."""

    job: int | None
    month: int | None

    @property
    def terms(self) -> tuple[str, ...]:
        """What each recipe says of it below ``price``."""
        return () if self.job is None else (f"at_most: {_text(self.job)}",)


def spending_of(seed: int, pipeline: Pipeline, rows_of_a_shard: int) -> Spending | None:
    """Decide it, and let the operator put the budget, which is raised in the month after."""
    if not pipeline.kernel.faults.strikes("under_ceilings", BUDGET, 0, likely=4):
        return None
    choose = random.Random(f"ceilings {seed}")
    rates = parse_prices(BAILIAN.read_prices()).models[MODEL].tiers[0].batch
    assert rates is not None
    worst = rows_of_a_shard * (-(-rates.output * MAX_TOKENS // 1_000_000) + _QUESTION)
    job = choose.choice((None, worst, worst + worst // 2, 3 * worst))
    month = choose.choice((worst, 2 * worst, 4 * worst)) if job is None or choose.random() < 0.5 else None
    if month is not None:
        pipeline.bucket.drop(BUDGET, _budget(month))
        raised = partial(pipeline.bucket.drop, BUDGET, _budget(1000 * month))
        pipeline.kernel.at(_RAISED_AFTER.total_seconds(), raised)
    return Spending(job, month)


def money_failures(
    pipeline: Pipeline, plans: Sequence[Plan], batches: dict[Attempt, list[Batch]]
) -> Iterator[str]:
    """Nobody is billed for more than may be spent, and in the end nothing is reserved."""
    balances = dict(_balances(pipeline))
    yield from (
        f"{prefix} has {sorted(balance.reserved)} reserved in the end"
        for prefix, balance in balances.items()
        if balance.reserved
    )
    in_all_months = _Sums()
    for plan in plans:
        for ceiling in plan.ceilings:
            sums = _sums_of(pipeline, plan, batches)
            if ceiling.scope != "job":
                in_all_months.add(sums)
                continue
            balance = balances.get(balance_prefix(ceiling, plan.job_id, ""), Balance())
            yield from sums.compared(f"job {plan.job_id}", balance.spent)
            if sums.billed > ceiling.at_most.micros:
                yield f"job {plan.job_id} cost {sums.billed}, more than {ceiling.at_most.micros}"
    spent = {prefix: each.spent for prefix, each in balances.items() if prefix.startswith(f"{MONEY}all/")}
    yield from in_all_months.compared("all jobs", sum(spent.values()))
    yield from _first_month(pipeline, plans, spent)


def _first_month(pipeline: Pipeline, plans: Sequence[Plan], spent: dict[str, int]) -> Iterator[str]:
    """Then the budget is not raised yet. A row with two answers may be counted twice."""
    if any(fault.kind == "line_contradicts" for fault in pipeline.kernel.faults.struck):
        return
    limits = {each.at_most.micros for plan in plans for each in plan.ceilings if each.scope == "all"}
    for prefix, micros in spent.items():
        if f"/{month_of(START)}-" in prefix and limits and micros > min(limits):
            yield f"{prefix} has {micros} spent, more than {min(limits)}"


@dataclass
class _Sums:
    """What was billed, so far as anybody can know, and what the records make of it."""

    billed: int = 0
    known: int = 0
    perhaps: int = 0

    def add(self, other: _Sums) -> None:
        self.billed += other.billed
        self.known += other.known
        self.perhaps += other.perhaps

    def compared(self, whose: str, spent: int) -> Iterator[str]:
        if spent < self.billed:
            yield f"{whose} cost {self.billed}, but {spent} is spent"
        if not self.known <= spent <= self.known + self.perhaps:
            yield f"of {whose} {spent} is spent, not {self.known} or up to {self.perhaps} more"


def _sums_of(pipeline: Pipeline, plan: Plan, batches: dict[Attempt, list[Batch]]) -> _Sums:
    sums, records = _Sums(), BucketRecords(pipeline.bucket)
    for attempt, mine in batches.items():
        if attempt.job_id == plan.job_id:
            counted = [each for each in mine if not came_for_a_deleted_one(pipeline, attempt, each)]
            sums.billed += sum(_bill_of(plan, each) for each in counted[-1:])
    if sample := sample_record(pipeline, plan):
        sums.add(_Sums(sample_cost(pipeline, plan), sample.known, sample.perhaps))
    for key, outcome in records.outcomes(JobId(plan.job_id)):
        attempt_named = parse_attempt(key.split("/", 1)[1].rpartition("/")[0])
        submission = attempt_named and records.find_submission(attempt_named)
        if attempt_named and submission:
            charged = charged_by(plan.quote, plan.shard(attempt_named.shard), submission, outcome)
            sums.add(_Sums(0, *_both(charged)))
    return sums


def _both(charged: Charged) -> tuple[int, int]:
    return charged.known, charged.perhaps


def _bill_of(plan: Plan, batch: Batch) -> int:
    """Without rows of which it says nothing, though it did not promise that either."""
    rates = plan.quote and plan.quote.price and plan.quote.price.tiers[0].batch
    if not rates:
        return 0
    is_whole = batch.status is BatchStatus.COMPLETED
    total = TokenCounts()
    for custom_id in batch.billed if is_whole else batch.answered:
        tokens = tokens_of(batch.asks[custom_id])
        cached, thinking = tokens["cached"], tokens["thinking"]
        total += TokenCounts(
            input=tokens["prompt"] - cached,
            cached=cached,
            output=tokens["completion"] - thinking,
            thinking=thinking,
        )
    return cost(total, rates, "").micros


def _balances(pipeline: Pipeline) -> Iterator[tuple[str, Balance]]:
    generations: dict[str, list[str]] = defaultdict(list)
    for key in pipeline.bucket.keys(MONEY):
        generations[key.rpartition("/")[0] + "/"].append(key)
    for prefix, keys in generations.items():
        yield prefix, Balance.model_validate_json(pipeline.bucket.objects[max(keys)])


def _budget(micros: int) -> bytes:
    return f"month: {_text(micros)}\n".encode()


def _text(micros: int) -> str:
    return f"{micros // 1_000_000}.{micros % 1_000_000:06d} CNY"
