"""How much may still be spent, for people: what is spent and reserved under each ceiling."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from shared.board.model import SpentMoney
from shared.bucket.keys import MONEY, balance_prefix
from shared.bucket.money import Balance, Ceiling, Money
from shared.bucket.records.plan import Plan
from shared.money.months import month_of
from shared.pipeline.quota.balances import Balances
from shared.pipeline.quota.ceilings import read_budget
from shared.ports.clock import Clock
from shared.ports.store import ObjectStore
from shared.problems.exceptions import UserInputError


@dataclass(frozen=True)
class FreeMoney:
    """One ceiling at one moment."""

    ceiling: Ceiling
    spent: Money
    reserved: Money
    free: Money


def free_this_month(store: ObjectStore, now: datetime, of_stack: Money | None = None) -> Iterator[FreeMoney]:
    """Of all files and of each folder that the operator's budget or the stack names.

    Raises:
        UserInputError: The budget is wrong.
    """
    for ceiling in read_budget(store, of_stack).ceilings:
        yield _free(store, ceiling, "", month_of(now))


def money_on_board(store: ObjectStore, clock: Clock, of_stack: Money | None = None) -> list[SpentMoney]:
    """The same as ``board.json`` has it; nothing before any is spent, or if it is wrong."""
    if next(iter(store.list(MONEY)), None) is None:  # the timer's store knows without a call
        return []
    try:
        found = [*free_this_month(store, clock.now(), of_stack)]
    except UserInputError:
        return []
    return [_shown(each) for each in found]


def ceiling_on_board(store: ObjectStore, plan: Plan) -> SpentMoney | None:
    """The same of a job's own ceiling, if it has one."""
    return next((_shown(each) for each in free_of_job(store, plan)), None)


def _shown(money: FreeMoney) -> SpentMoney:
    ceiling = money.ceiling
    return SpentMoney(
        folder=ceiling.folder,
        at_most=ceiling.at_most,
        of_stack=ceiling.of_stack,
        spent=money.spent,
        reserved=money.reserved,
        free=money.free,
    )


def free_of_job(store: ObjectStore, plan: Plan) -> Iterator[FreeMoney]:
    """Of the job's own ceiling, if it has one."""
    for ceiling in plan.ceilings:
        if ceiling.scope == "job":
            yield _free(store, ceiling, plan.job_id, "")


def _free(store: ObjectStore, ceiling: Ceiling, job_id: str, month: str) -> FreeMoney:
    balance = Balances(store, balance_prefix(ceiling, job_id, month)).standing
    return free_under(ceiling, balance)


def free_under(ceiling: Ceiling, balance: Balance) -> FreeMoney:
    """What a balance leaves; nothing where a budget was lowered below what was spent."""
    reserved, most = balance.reserved_by_others(""), ceiling.at_most
    amounts = (balance.spent, reserved, max(most.micros - balance.spent - reserved, 0))
    return FreeMoney(ceiling, *(Money(micros=each, currency=most.currency) for each in amounts))
