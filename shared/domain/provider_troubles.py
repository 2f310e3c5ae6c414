"""What may be wrong with an account, its key or a model, so that everything waits until somebody acts."""

from __future__ import annotations

from datetime import datetime

from shared.domain.errors import ConfigurationError, ProviderTrouble
from shared.domain.messages import render_problem
from shared.domain.problems import Problem, Values
from shared.domain.records import WaitingFor

# The codes of the messages that say who must do what.
ACCOUNT_WITHOUT_MONEY = "account_without_money"
MODEL_NOT_OPEN = "model_not_open"
API_KEY_REFUSED = "api_key_refused"
WRONG_BASE_URL = "wrong_base_url"
FILE_STORE_FULL = "file_store_full"
PERMISSION_MISSING = "permission_missing"


def waiting_for(error: ConfigurationError, since: datetime, terms: Values) -> WaitingFor:
    """What a ticket says while the provider refuses its work.

    Args:
        error: What the provider said; other errors than ``ProviderTrouble`` are named, too.
        since: When that was noticed first.
        terms: Of the provider's profile.
    """
    code = error.trouble if isinstance(error, ProviderTrouble) else "provider_refuses"
    problem = Problem(code, values={**terms, "said": str(error)})
    message = "\n".join((render_problem(problem, "zh"), render_problem(problem, "en")))
    return WaitingFor(code=code, message=message, since=since)
