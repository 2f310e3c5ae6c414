"""Keeps what is spent under a job's ceilings: reserved before it is sent, settled by what it cost.

What an attempt may cost at most is reserved before anything of it is uploaded, so what is spent and
reserved together is never more than a ceiling. A reservation is the claim's that made it: a
claimant that comes late cannot give back what the next one has reserved.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

from shared.bucket.attempt import Attempt, parse_attempt
from shared.bucket.keys import BUDGET, balance_prefix
from shared.bucket.money import Balance, Ceiling, Money, Reservation
from shared.bucket.records.plan import Plan
from shared.money.budget_file import Budget, parse_budget
from shared.money.months import month_of, months_of
from shared.money.worst_case import Charged
from shared.pipeline.deadlines import CLOCK_ERROR
from shared.pipeline.quota.balances import Balances
from shared.ports.clock import Clock
from shared.ports.store import ObjectStore
from shared.problems.exceptions import ObjectMissing, TransientError, UserInputError
from shared.problems.problem import Problem
from shared.recipes.recipe_text import decode

# The claim of what several runs reserve alike.
_ALIKE = 1


@dataclass(frozen=True)
class NoRoom:
    """An attempt does not fit under a ceiling now.

    Attributes:
        ceiling: Which, as it is now.
        spent: Under it so far.
        reserved: By other attempts; what of it they do not cost comes free.
        needed: What this attempt may cost.
        never: A month's ceiling, this or another one, that it exceeds all by itself.
    """

    ceiling: Ceiling
    spent: Money
    reserved: Money
    needed: Money
    never: Ceiling | None = None

    @property
    def is_final(self) -> bool:
        """Whether it never will: a job's ceiling has no next month, and nothing will come free."""
        return self.ceiling.scope == "job" and not self.reserved.micros and self.is_spent

    @property
    def is_spent(self) -> bool:
        """Whether there is too little left even if all that is reserved comes free."""
        return self.spent.micros + self.needed.micros > self.ceiling.at_most.micros


@dataclass(frozen=True)
class Ceilings:
    """The ceilings of a job; every step may be repeated.

    Attributes:
        of_stack: What the stack allows all files in a month; ``None`` leaves it to the plan.
    """

    store: ObjectStore
    clock: Clock
    plan: Plan
    of_stack: Money | None = None

    def reserve(self, attempt: Attempt, claim: int, needed: Money) -> NoRoom | None:
        """Reserve it under all of them, or under none and say under which there is no room.

        Raises:
            TransientError: A later claim has reserved: this one is over.
        """
        mine, month = Reservation(claim=claim, micros=needed.micros), month_of(self.clock.now())
        self._give_back(attempt, claim, kept=month)
        ceilings = self._now()
        for ceiling in ceilings:
            balance = self._try(ceiling, month, attempt, mine)
            standing = balance.reserved.get(str(attempt))
            if standing is not None and standing.claim > claim:
                raise TransientError(f"{attempt}: a later claim than {claim} sends it")
            if standing != mine:
                self.give_back(attempt, claim)
                no_room = _no_room(ceiling, balance, str(attempt), needed)
                return replace(no_room, never=_too_small(ceilings, needed))
        return None

    def _try(self, ceiling: Ceiling, month: str, attempt: Attempt, mine: Reservation) -> Balance:
        """Reserve it under one of them if there is room; return what stands."""
        change = partial(_reserved, str(attempt), mine, ceiling.at_most.micros)
        return self._balances(ceiling, month).change(change)

    def reserve_alike(self, attempt: Attempt, needed: Money) -> bool:
        """Reserve what several runs may reserve at once, all of them alike.

        Whoever finds no room leaves what another has reserved: they must agree first. It is
        reserved in the month of the plan.

        Raises:
            TransientError: It was settled meanwhile.
        """
        mine, month = Reservation(claim=_ALIKE, micros=needed.micros), month_of(self.plan.created_at)
        for ceiling in self._now():
            balance = self._try(ceiling, month, attempt, mine)
            standing = balance.reserved.get(str(attempt))
            if standing is not None and standing.claim > _ALIKE:
                raise TransientError(f"{attempt}: it was settled by another run")
            if standing != mine:
                return False
        return True

    def settle_alike(self, attempt: Attempt, charged: Charged) -> None:
        """What it cost is spent, once, whichever runs say so.

        The attempt keeps an empty reservation until ``settle``, so that none can reserve late.
        """
        for ceiling, month in self._of_all_months():
            self._balances(ceiling, month).change(partial(_settled_alike, str(attempt), charged))

    def give_back_alike(self, attempt: Attempt) -> None:
        """Nothing was bought of what ``reserve_alike`` reserved, or it is settled for good."""
        self._give_back(attempt, _ALIKE)

    def give_back(self, attempt: Attempt, claim: int) -> None:
        """Nothing was sent under this claim or an earlier one, and nothing will be."""
        self._give_back(attempt, claim)

    def settle(self, attempt: Attempt, charged: Charged) -> None:
        """The attempt is decided: what it cost is spent, and the rest is free."""
        for ceiling, month in self._of_all_months():
            self._balances(ceiling, month).change(partial(_settled, str(attempt), charged))

    def left(self) -> set[Attempt]:
        """The attempts of the job for which something is reserved still."""
        balances = (self._balances(*each).standing for each in self._of_all_months())
        attempts = {parse_attempt(unit) for balance in balances for unit in balance.reserved}
        return {each for each in attempts if each and each.job_id == self.plan.job_id}

    def _give_back(self, attempt: Attempt, claim: int, *, kept: str | None = None) -> None:
        """But for one month, and what holds in all: an earlier claim may have died before it."""
        for ceiling, month in self._of_all_months():
            if kept is None or month not in ("", kept):
                self._balances(ceiling, month).change(partial(_given_back, str(attempt), claim))

    def _of_all_months(self) -> Iterator[tuple[Ceiling, str]]:
        """Each ceiling with each month in which something may have been reserved."""
        now = self.clock.now()
        for ceiling in self.plan.ceilings:
            months = months_of(self.plan.created_at - CLOCK_ERROR, now + CLOCK_ERROR)
            for month in months if ceiling.scope != "job" else ("",):
                yield ceiling, month

    def _now(self) -> list[Ceiling]:
        """The ceilings as budgets have them now; a job's own never changes."""
        if all(each.scope == "job" for each in self.plan.ceilings):
            return [*self.plan.ceilings]
        budget = self._budget()
        return [each if each.scope == "job" else budget.now(each) for each in self.plan.ceilings]

    def _budget(self) -> Budget:
        """One that is gone or wrong changes nothing: what the plan says holds."""
        try:
            return read_budget(self.store, self.of_stack)
        except UserInputError:
            return Budget(of_stack=self.of_stack)

    def _balances(self, ceiling: Ceiling, month: str) -> Balances:
        return Balances(self.store, balance_prefix(ceiling, self.plan.job_id, month))


def read_budget(store: ObjectStore, of_stack: Money | None = None) -> Budget:
    """What the operator's file says, if there is one, beside what the stack says.

    Raises:
        UserInputError: It is wrong.
    """
    try:
        content = store.get(BUDGET)
    except ObjectMissing:
        return Budget(of_stack=of_stack)
    try:
        text = decode(content)
    except UserInputError as error:
        raise UserInputError([Problem("budget_unreadable", file=BUDGET)]) from error
    return replace(parse_budget(text), of_stack=of_stack)


def _reserved(attempt: str, mine: Reservation, at_most: int, standing: Balance) -> Balance:
    """With the reservation; without one of its own, where there is no room.

    An earlier claim's is replaced: it led to no batch. A later one's stays.
    """
    before = standing.reserved.get(attempt)
    if before is not None and (before.claim > mine.claim or before == mine):
        return standing
    if standing.spent + standing.reserved_by_others(attempt) + mine.micros > at_most:
        return standing.without(attempt)
    return standing.model_copy(update={"reserved": {**standing.reserved, attempt: mine}})


def _given_back(attempt: str, claim: int, standing: Balance) -> Balance:
    before = standing.reserved.get(attempt)
    return standing if before is None or before.claim > claim else standing.without(attempt)


def _settled(attempt: str, charged: Charged, standing: Balance) -> Balance:
    """What is not reserved was settled before."""
    before = standing.reserved.get(attempt)
    if before is None:
        return standing
    spent = standing.spent + charged.within(before.micros)
    return standing.without(attempt).model_copy(update={"spent": spent})


def _settled_alike(attempt: str, charged: Charged, standing: Balance) -> Balance:
    before = standing.reserved.get(attempt)
    if before is None or before.claim > _ALIKE:
        return standing
    spent = standing.spent + charged.within(before.micros)
    left = {**standing.reserved, attempt: Reservation(claim=_ALIKE + 1, micros=0)}
    return standing.model_copy(update={"spent": spent, "reserved": left})


def _no_room(ceiling: Ceiling, balance: Balance, attempt: str, needed: Money) -> NoRoom:
    spent, reserved = (
        Money(micros=micros, currency=needed.currency)
        for micros in (balance.spent, balance.reserved_by_others(attempt))
    )
    return NoRoom(ceiling, spent, reserved, needed)


def _too_small(ceilings: list[Ceiling], needed: Money) -> Ceiling | None:
    """One that leaves no room even in a month in which nothing else is sent."""
    of_months = (each for each in ceilings if each.scope != "job")
    return next((each for each in of_months if needed.micros > each.at_most.micros), None)
