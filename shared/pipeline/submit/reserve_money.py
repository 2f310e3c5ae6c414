"""Reserves what an attempt may cost, under its claim and before anything of it is uploaded."""

from __future__ import annotations

from dataclasses import dataclass

from shared.bucket.attempt import Attempt
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.money import Ceiling, Money
from shared.bucket.records.outcome import Outcome
from shared.bucket.records.plan import Plan
from shared.bucket.tickets import OVER_BUDGET
from shared.money.amounts import money_text
from shared.money.months import first_day_after, month_after
from shared.money.worst_case import worst_case
from shared.pipeline.quota.ceilings import Ceilings, NoRoom
from shared.pipeline.quota.claim_slot import HeldSlot
from shared.pipeline.submit.decision import Close
from shared.pipeline.submit.send_deadline import refused
from shared.ports.clock import Clock
from shared.ports.provider import BatchRequest
from shared.ports.store import ObjectStore
from shared.problems.exceptions import CeilingReached
from shared.problems.problem import Bilingual, Problem, Values


@dataclass(frozen=True)
class ReserveMoney:
    """Of a job without a ceiling nothing is looked at.

    Attributes:
        month_budget: What the stack allows all files in a month.
    """

    store: ObjectStore
    clock: Clock
    month_budget: Money | None = None

    def __call__(self, plan: Plan, held: HeldSlot, request: BatchRequest) -> Close | None:
        """Return why it is never sent, or ``None`` if the money is reserved.

        Raises:
            CeilingReached: It does not fit now, and nothing is reserved for it.
        """
        shard = plan.shard(held.attempt.shard)
        if not plan.ceilings or plan.quote is None or shard is None:
            return None
        before = _left_open_by(BucketRecords(self.store), held.attempt)
        requests = min(before.resent, shard.requests) if before else shard.requests
        needed = worst_case(plan.quote, shard, requests, request.size_bytes, before)
        if needed is None:  # such a file is refused when it is dropped
            return refused(Problem("ceiling_unknown"))
        ceilings = Ceilings(self.store, self.clock, plan, self.month_budget)
        no_room = ceilings.reserve(held.attempt, held.claim, needed)
        if no_room is None:
            return None
        if no_room.is_final:
            return refused(Problem("over_ceiling", values=self._values(no_room)))
        if no_room.ceiling.scope == "job":
            problem = Problem("over_ceiling_now", values=self._values(no_room))
            raise CeilingReached(problem, is_for_people=False, budget="job")
        code, ceiling = OVER_BUDGET, no_room.ceiling
        if no_room.never:
            code, ceiling = "over_every_month", no_room.never
        problem = Problem(code, values={**self._values(no_room), **_budget(ceiling)})
        until = month_after(self.clock.now()) if no_room.is_spent else None
        budget = f"{ceiling.scope} {ceiling.folder}".strip()
        raise CeilingReached(problem, is_for_people=True, until=until, budget=budget)

    def _values(self, no_room: NoRoom) -> Values:
        most = no_room.ceiling.at_most
        left = most - no_room.spent - no_room.reserved
        free = left if left.micros > 0 else left.model_copy(update={"micros": 0})
        return {
            "limit": money_text(most),
            "spent": money_text(no_room.spent),
            "reserved": money_text(no_room.reserved),
            "free": money_text(free, is_gain=True),
            "needed": money_text(no_room.needed),
            "when": _when(first_day_after(self.clock.now()), no_room.reserved),
        }


def _budget(ceiling: Ceiling) -> Values:
    """What is said of a month's: how much it is, of which files, and where to raise it."""
    folder = ceiling.folder
    return {
        "limit": money_text(ceiling.at_most, is_gain=True),
        "whose": Bilingual(f"文件夹 {folder}", f"folder {folder}") if folder else _OF_ALL,
        "where": _OF_STACK if ceiling.is_of_stack else _IN_FILE,
    }


_OF_ALL = Bilingual("全部文件", "all files")
_OF_STACK = Bilingual("部署参数 MonthBudget", "the stack's parameter MonthBudget")
_IN_FILE = Bilingual(" budget.yaml 里的金额", "the amount in budget.yaml")


def _when(next_month: str, reserved: Money) -> Bilingual:
    """When there may be room: batches under way give back what they have reserved and not spent."""
    if reserved.micros == 0:
        return Bilingual(f"{next_month} 起会", f"from {next_month} on")
    return Bilingual(
        f"正在运行的批次结束后，或 {next_month} 起，会", f"when those have ended, or from {next_month} on"
    )


def _left_open_by(records: BucketRecords, attempt: Attempt) -> Outcome | None:
    """What left the rows open that the attempt sends; ``None`` if it sends all."""
    while attempt.number > 1:
        attempt = attempt.previous_attempt()
        outcome = records.find_outcome(attempt)
        if outcome is not None and outcome.kind != "requeue":
            return outcome
    return None
