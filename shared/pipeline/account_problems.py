"""What is wrong with an account, its key, a model or a budget: work waits until somebody acts."""

from __future__ import annotations

from datetime import datetime

from shared.bucket.tickets import OVER_BUDGET, WaitingFor
from shared.problems.exceptions import CeilingReached, ConfigurationError, PipelineError, QuotaReached
from shared.problems.problem import Problem, Values
from shared.problems.render import render_problem


def waiting_for(error: PipelineError, since: datetime, terms: Values) -> WaitingFor:
    """What a ticket says while the provider refuses its work.

    Args:
        error: What the provider said, whether or not it is a ``ProviderTrouble``; or which ceiling
            was reached.
        since: When it was first noticed.
        terms: Of the provider's profile.
    """
    if isinstance(error, CeilingReached):
        return WaitingFor(code=OVER_BUDGET, message=_said(error.problem), since=since, budget=error.budget)
    code = error.trouble if isinstance(error, (ConfigurationError, QuotaReached)) else "provider_refuses"
    said = error.facts if isinstance(error, ConfigurationError) else str(error).rstrip(".。")
    problem = Problem(code, values={**terms, "said": said})
    return WaitingFor(code=code, message=_said(problem), since=since)


def _said(problem: Problem) -> str:
    return "\n".join((render_problem(problem, "zh"), render_problem(problem, "en")))
