"""Whether it is too late to send an attempt: what would be answered could not be joined with its rows any more."""

from __future__ import annotations

from datetime import datetime

from shared.bucket.attempt import Attempt
from shared.bucket.records import Plan
from shared.pipeline.deadlines import SEND_WITHIN
from shared.ports.store import ObjectStore
from shared.problems.errors import ProviderRejected
from shared.problems.problem import Problem
from shared.problems.render import render_problem


def too_late_to_send(
    store: ObjectStore, plan: Plan, attempt: Attempt, now: datetime
) -> ProviderRejected | None:
    """The reason that the attempt's rows get instead of a batch that would be paid and could not be delivered."""
    if now - plan.created_at > SEND_WITHIN:
        return _rejection_for(Problem("waited_too_long", values={"days": SEND_WITHIN.days}))
    if store.head(plan.requests_key(attempt)) is None:
        return _rejection_for(Problem("requests_removed"))
    return None


def _rejection_for(problem: Problem) -> ProviderRejected:
    text = f"{render_problem(problem, 'zh')} / {render_problem(problem, 'en')}"
    return ProviderRejected(text, provider_code=problem.code)
