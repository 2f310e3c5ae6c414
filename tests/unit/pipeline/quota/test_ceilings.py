from __future__ import annotations

from datetime import timedelta

import pytest

from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import MONEY
from shared.bucket.money import Balance, Ceiling, Money
from shared.bucket.records.plan import Plan
from shared.money.budget_file import Budget
from shared.money.worst_case import ALL_RESERVED, NOTHING, Charged
from shared.pipeline.quota.ceilings import Ceilings
from shared.problems.exceptions import TransientError
from tests.support.builders import attempt, plan_job
from tests.support.fakes import FixedClock, MemoryStore

BUDGET = b"month: 1 CNY\nfolders: {a: 0.5 CNY, b: 9 CNY}\n"


def cny(micros: int) -> Money:
    return Money(micros=micros, currency="CNY")


JOB = Ceiling(scope="job", at_most=cny(100))
FOLDER = Ceiling(scope="folder", folder="a", at_most=cny(500_000))
ALL = Ceiling(scope="all", at_most=cny(1_000_000))


class Bucket:
    """A job under ceilings."""

    def __init__(self, *ceilings: Ceiling) -> None:
        self.clock = FixedClock()
        self.store = MemoryStore(self.clock)
        plan = plan_job(self.store, self.clock, [["a"], ["b"]])
        self.plan: Plan = plan.model_copy(update={"ceilings": ceilings})

        self.of_stack: Money | None = None

    @property
    def ceilings(self) -> Ceilings:
        return Ceilings(self.store, self.clock, self.plan, self.of_stack)

    def reserve(self, micros: int, shard: int = 1, claim: int = 1) -> bool:
        return self.ceilings.reserve(attempt(shard=shard), claim, cny(micros)) is None

    def balances(self) -> dict[str, tuple[int, int]]:
        """By what holds for, spent and reserved; those that are empty are left out."""
        found = {}
        for key in self.store.keys(MONEY):
            balance = BucketRecords(self.store).find(key, Balance)
            assert balance
            amounts = (balance.spent, balance.reserved_by_others(""))
            if any(amounts):
                found[key.removeprefix(MONEY).rpartition("/")[0]] = amounts
        return found


def test_a_job_without_a_ceiling_costs_no_call() -> None:
    bucket = Bucket()
    calls: list[str] = []
    bucket.store.before = lambda what, _key: calls.append(what)

    assert bucket.reserve(10**12)
    bucket.ceilings.give_back(attempt(), 1)
    bucket.ceilings.settle(attempt(), NOTHING)

    assert calls == []


def test_spent_and_reserved_together_are_never_more_than_the_ceiling() -> None:
    bucket = Bucket(JOB)

    assert bucket.reserve(60, shard=1)
    assert not bucket.reserve(41, shard=2)
    bucket.ceilings.settle(attempt(shard=1), Charged(50, 0))
    assert not bucket.reserve(51, shard=2)
    assert bucket.reserve(50, shard=2)


def test_who_finds_no_room_is_told_why() -> None:
    bucket = Bucket(JOB)
    bucket.reserve(60, shard=1)

    no_room = bucket.ceilings.reserve(attempt(shard=2), 1, cny(41))

    assert no_room
    assert (no_room.spent, no_room.reserved, no_room.needed) == (cny(0), cny(60), cny(41))
    assert not no_room.is_final
    bucket.ceilings.settle(attempt(shard=1), ALL_RESERVED)
    final = bucket.ceilings.reserve(attempt(shard=2), 1, cny(41))
    assert final
    assert final.is_final


def test_everything_may_be_repeated() -> None:
    bucket = Bucket(JOB)

    bucket.reserve(60)
    bucket.reserve(60)
    assert [*bucket.balances().values()] == [(0, 60)]
    bucket.ceilings.settle(attempt(), Charged(20, 0))
    bucket.ceilings.settle(attempt(), Charged(20, 0))
    assert [*bucket.balances().values()] == [(20, 0)]
    bucket.ceilings.give_back(attempt(), 9)
    assert [*bucket.balances().values()] == [(20, 0)]


def test_what_nobody_knows_costs_no_more_than_was_reserved() -> None:
    bucket = Bucket(JOB)

    bucket.reserve(60)
    bucket.ceilings.settle(attempt(), Charged(known=20, perhaps=10**9))

    assert [*bucket.balances().values()] == [(60, 0)]


def test_a_late_claimant_gives_back_nothing_of_the_next_one() -> None:
    bucket = Bucket(JOB)
    bucket.reserve(60, claim=1)

    assert bucket.reserve(60, claim=2)
    bucket.ceilings.give_back(attempt(), 1)
    with pytest.raises(TransientError):  # it is over, but the shard is not: the next claim sends it
        bucket.reserve(60, claim=1)

    assert [*bucket.balances().values()] == [(0, 60)]


def test_all_ceilings_hold_or_none_is_reserved_under() -> None:
    bucket = Bucket(JOB, FOLDER, ALL)
    bucket.store.put("budget.yaml", b"month: 0.00005 CNY\nfolders: {a: 0.5 CNY}\n")

    assert not bucket.reserve(51)
    assert bucket.balances() == {}
    assert bucket.reserve(50)
    assert len(bucket.balances()) == 3


@pytest.mark.parametrize(
    ("content", "is_room"),
    [
        (b"month: 0.000200 CNY", True),  # raised
        (b"month: 0.000099 CNY", False),  # lowered
        (b"month: 5 USD", False),  # no amount to compare with: what the plan says holds
        (b"mnth: 5 CNY", False),
        (None, False),
    ],
)
def test_a_budget_may_be_changed_while_a_job_waits(content: bytes | None, *, is_room: bool) -> None:
    bucket = Bucket(ALL.model_copy(update={"at_most": cny(150)}))
    if content:
        bucket.store.put("budget.yaml", content)
    bucket.reserve(90, shard=1)

    assert bucket.reserve(90, shard=2) == is_room


@pytest.mark.parametrize(
    ("file", "stack", "planned", "most"),
    [
        (b"month: 0.0002 CNY", 150, None, 150),
        (b"month: 0.0001 CNY", 150, None, 100),  # the lower of both
        (None, 150, None, 150),
        (b"mnth: 5 CNY", 150, None, 150),
        (None, None, 150, 150),  # of a stack whose parameter is gone what the plan says
        (None, 300, 150, 300),  # raised
        (b"month: 5 USD", 150, None, 150),
        (b"month: 0.0002 CNY", -150, None, 200),  # the stack's in another currency is another ceiling
    ],
)
def test_beside_the_file_the_stacks_own_ceiling_holds(
    file: bytes | None, stack: int | None, planned: int | None, most: int
) -> None:
    own = Money(micros=abs(stack), currency="CNY" if stack > 0 else "USD") if stack else None
    bucket = Bucket()
    if file:
        bucket.store.put("budget.yaml", file)
    (ceiling,) = [
        each
        for each in Budget(cny(200), of_stack=cny(planned or 150)).ceilings
        if each.at_most.currency == "CNY"
    ]
    bucket.plan = bucket.plan.model_copy(update={"ceilings": (ceiling,)})
    bucket.of_stack = own

    assert not bucket.reserve(most + 1)
    assert bucket.reserve(most)


def test_each_month_has_its_own_money_and_is_charged_what_it_reserved() -> None:
    bucket = Bucket(ALL)
    bucket.store.put("budget.yaml", b"month: 0.0001 CNY")

    assert bucket.reserve(90, shard=1)
    bucket.clock.advance(timedelta(days=14))
    assert bucket.reserve(90, shard=2)
    bucket.ceilings.settle(attempt(shard=1), Charged(80, 0))

    assert bucket.balances() == {"all/2026-11-CNY": (80, 0), "all/2026-12-CNY": (0, 90)}


def test_what_a_dead_claim_reserved_last_month_is_given_back() -> None:
    bucket = Bucket(ALL, JOB)
    bucket.reserve(90, claim=1)
    bucket.clock.advance(timedelta(days=14))

    bucket.reserve(90, claim=2)

    assert sorted(bucket.balances().values()) == [(0, 90), (0, 90)]
    assert "all/2026-12-CNY" in bucket.balances()
