"""What may still be spent, as text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from scripts.terminal import named
from shared.board.model import Board
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import BOARD
from shared.bucket.money import Money
from shared.bucket.records.plan import Plan
from shared.money.amounts import money_text
from shared.money.months import month_of
from shared.pipeline.quota.free_money import FreeMoney, free_of_job, free_this_month
from shared.ports.clock import Clock
from shared.ports.store import ObjectStore
from shared.problems.exceptions import UserInputError
from shared.problems.render import render_both


def free_now(store: ObjectStore, clock: Clock, tell: Callable[[Iterable[str]], object]) -> list[FreeMoney]:
    """Under each ceiling of this month. What is wrong with the budget is told instead."""
    try:
        return [*free_this_month(store, clock.now(), _of_stack(store))]
    except UserInputError as error:
        tell(map(render_both, error.problems))
        return []


def _of_stack(store: ObjectStore) -> Money | None:
    """What the stack allows all files, as the timer knows and shows it."""
    board = BucketRecords(store).find(BOARD, Board)
    return next((each.of_stack for each in board.money if not each.folder), None) if board else None


def budget_lines(found: Iterable[FreeMoney], clock: Clock) -> Iterator[str]:
    """One for each ceiling of this month."""
    for each in found:
        folder = each.ceiling.folder
        whose = f"文件夹 folder {named(folder)}" if folder else "全部文件 all files"
        yield f"预算 budget {month_of(clock.now())}, {whose}: {_amounts(each)}"


def budget_facts(money: FreeMoney) -> dict[str, object]:
    """In millionths of the currency."""
    ceiling = money.ceiling
    return {
        "folder": ceiling.folder or None,
        "currency": ceiling.at_most.currency,
        "at_most": ceiling.at_most.micros,
        "spent": money.spent.micros,
        "reserved": money.reserved.micros,
        "free": money.free.micros,
    }


def ceiling_lines(store: ObjectStore, plan: Plan) -> Iterator[str]:
    """That of the job, if it has one."""
    for each in free_of_job(store, plan):
        yield f"费用上限 ceiling: {_amounts(each)}"


def _amounts(money: FreeMoney) -> str:
    most, spent, reserved = map(money_text, (money.ceiling.at_most, money.spent, money.reserved))
    free = money_text(money.free, is_gain=True)
    return f"最多 at most {most}, 已花 spent {spent}, 预留 reserved {reserved}, 剩余 free {free}"
