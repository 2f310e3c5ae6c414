"""What may be wrong with an account, its key or a model: all its work waits until somebody acts."""

from __future__ import annotations

from datetime import datetime

from shared.bucket.tickets import WaitingFor
from shared.problems.exceptions import ConfigurationError, PipelineError, QuotaReached
from shared.problems.problem import Problem, Values
from shared.problems.render import render_problem


def waiting_for(error: PipelineError, since: datetime, terms: Values) -> WaitingFor:
    """What a ticket says while the provider refuses its work.

    Args:
        error: What the provider said, whether or not it is a ``ProviderTrouble``.
        since: When it was first noticed.
        terms: Of the provider's profile.
    """
    code = error.trouble if isinstance(error, (ConfigurationError, QuotaReached)) else "provider_refuses"
    said = error.facts if isinstance(error, ConfigurationError) else str(error).rstrip(".。")
    problem = Problem(code, values={**terms, "said": said})
    message = "\n".join((render_problem(problem, "zh"), render_problem(problem, "en")))
    return WaitingFor(code=code, message=message, since=since)
