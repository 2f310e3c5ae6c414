"""Puts a job under the stack's ceiling that was planned before the stack had one."""

from __future__ import annotations

from shared.bucket.money import Ceiling, Money
from shared.bucket.records.plan import Plan


def under_stack(plan: Plan, month_budget: Money | None) -> Plan:
    """The plan as the stack is now: what is sent from now on is under its ceiling, too.

    A job stays outside of which nobody knows what it costs at most: it was accepted so. So does one
    whose model costs nothing.
    """
    if month_budget is None or any(each.scope == "all" for each in plan.ceilings):
        return plan
    quote = plan.quote
    if quote is None or quote.at_most is None or quote.at_most.currency != month_budget.currency:
        return plan
    if quote.price is not None and quote.price.is_free:
        return plan
    added = Ceiling(scope="all", at_most=month_budget, of_stack=month_budget)
    return plan.model_copy(update={"ceilings": (*plan.ceilings, added)})
