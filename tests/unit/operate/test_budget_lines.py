from __future__ import annotations

from datetime import timedelta
from functools import partial

from scripts.operate.jobs.budgets import budget_facts, budget_lines, ceiling_lines, free_now
from shared.board.read import ReadBoard
from shared.board.write import WriteBoard
from shared.bucket.keys import record_key
from shared.bucket.money import Ceiling, Money
from shared.money.worst_case import Charged
from shared.pipeline.quota.ceilings import Ceilings
from shared.pipeline.quota.free_money import money_on_board
from tests.support.builders import attempt
from tests.support.fakes import FixedClock, MemoryStore
from tests.support.pipeline import Pipeline

LONG = timedelta(hours=1)
BUDGET = b"month: 500 CNY\nfolders: {a: 9 CNY, b: 1 CNY}\n"


def cny(yuan: int) -> Money:
    return Money(micros=yuan * 1_000_000, currency="CNY")


def spending() -> Pipeline:
    """Of a job in folder a, one shard cost 3 and the other may cost 5 yuan."""
    job = Pipeline(shards=(("x",), ("y",)))
    ceilings = [Ceiling(scope="job", at_most=cny(8)), Ceiling(scope="folder", folder="a", at_most=cny(9))]
    ceilings.append(Ceiling(scope="all", at_most=cny(500)))
    job.plan = job.plan.model_copy(update={"ceilings": tuple(ceilings)})
    job.store.put("budget.yaml", BUDGET)
    under = Ceilings(job.store, job.clock, job.plan)
    for shard, may_cost in ((1, 3), (2, 5)):
        assert under.reserve(attempt(shard=shard), 1, cny(may_cost)) is None
    under.settle(attempt(shard=1), Charged(3_000_000, 0))
    return job


def test_each_ceiling_of_the_month_says_what_is_spent_reserved_and_free() -> None:
    job = spending()

    found = free_now(job.store, job.clock, lambda _: None)

    amounts = "已花 spent ¥3.00, 预留 reserved ¥5.00, 剩余 free"
    assert [*budget_lines(found, job.clock)] == [
        f"预算 budget 2026-11, 全部文件 all files: 最多 at most ¥500.00, {amounts} ¥492.00",
        f"预算 budget 2026-11, 文件夹 folder a: 最多 at most ¥9.00, {amounts} ¥1.00",
        "预算 budget 2026-11, 文件夹 folder b: 最多 at most ¥1.00, 已花 spent ¥0.00, 预留 reserved ¥0.00, 剩余 free ¥1.00",
    ]
    assert [budget_facts(each)["free"] for each in found] == [492_000_000, 1_000_000, 1_000_000]


def test_a_job_says_what_is_left_under_its_own_ceiling() -> None:
    job = spending()

    assert [*ceiling_lines(job.store, job.plan)] == [
        "费用上限 ceiling: 最多 at most ¥8.00, 已花 spent ¥3.00, 预留 reserved ¥5.00, 剩余 free ¥0.00"
    ]


def test_the_board_shows_a_jobs_own_ceiling_and_who_reads_that_board_knows_it() -> None:
    job = spending()
    job.store.put(record_key(job.job_id, "plan.json"), job.plan.to_bytes())

    board = job.functions.write_board({}, LONG)
    again = ReadBoard(job.store, job.clock, earlier=board)

    assert board is not None
    ceiling = board.jobs[0].ceiling
    assert ceiling is not None
    assert [ceiling.at_most, ceiling.spent, ceiling.reserved, ceiling.free] == [
        cny(8),
        cny(3),
        cny(5),
        cny(0),
    ]
    found = again.look(job.job_id, again.tickets_of(job.job_id))
    assert found is not None
    assert found.ceiling == ceiling


def test_without_a_budget_nothing_is_said() -> None:
    assert free_now(MemoryStore(), FixedClock(), lambda _: None) == []


def test_what_is_wrong_with_the_budget_is_said_in_its_place() -> None:
    store, told = MemoryStore(), list[str]()
    store.put("budget.yaml", b"month: much\n")

    assert free_now(store, FixedClock(), told.extend) == []
    assert "budget.yaml" in told[0]


def test_a_ceiling_of_the_stack_is_known_from_the_timers_board() -> None:
    job = spending()
    job.store.delete("budget.yaml")
    board = WriteBoard(
        job.store, job.clock, LONG, LONG, partial(money_on_board, job.store, job.clock, cny(40))
    )
    board({})

    assert [*budget_lines(free_now(job.store, job.clock, lambda _: None), job.clock)] == [
        "预算 budget 2026-11, 全部文件 all files: 最多 at most ¥40.00, 已花 spent ¥3.00, 预留 reserved ¥5.00, 剩余 free ¥32.00"
    ]
