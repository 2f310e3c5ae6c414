"""What may be wrong with an account, its key or a model, so that everything waits until somebody acts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from shared.domain.batches import BatchProblem, BatchState, BatchStatus
from shared.domain.errors import ConfigurationError, ProviderTrouble
from shared.domain.messages import render_problem
from shared.domain.problems import Problem
from shared.domain.records import WaitingFor

# The codes of the messages that say who must do what.
ACCOUNT_WITHOUT_MONEY = "account_without_money"
MODEL_NOT_OPEN = "model_not_open"
API_KEY_REFUSED = "api_key_refused"
WRONG_BASE_URL = "wrong_base_url"
FILE_STORE_FULL = "file_store_full"
PERMISSION_MISSING = "permission_missing"

# https://help.aliyun.com/zh/model-studio/error-code. Some of these come with status 400 or 429, so the code decides.
_BY_CODE: Mapping[str, str] = {
    "Arrearage": ACCOUNT_WITHOUT_MONEY,
    "PrepaidBillOverdue": ACCOUNT_WITHOUT_MONEY,
    "PostpaidBillOverdue": ACCOUNT_WITHOUT_MONEY,
    "CommodityNotPurchased": ACCOUNT_WITHOUT_MONEY,
    "AccessDenied.Unpurchased": ACCOUNT_WITHOUT_MONEY,
    "AllocationQuota.FreeTierOnly": ACCOUNT_WITHOUT_MONEY,
    "Model.AccessDenied": MODEL_NOT_OPEN,
    "model_access_denied": MODEL_NOT_OPEN,
    "Workspace.AccessDenied": MODEL_NOT_OPEN,
    "InvalidApiKey": API_KEY_REFUSED,
    "invalid_api_key": API_KEY_REFUSED,
    "NoApiKey": API_KEY_REFUSED,
}
# Which codes a batch's validation gives is not documented; of the file as a whole these words say enough.
MONEY_WORDS = re.compile(r"free.?tier|arrear|overdue|unpurchased|not.?purchased", re.IGNORECASE)
_BY_WORDS = (
    (MONEY_WORDS, ACCOUNT_WITHOUT_MONEY),
    (re.compile(r"(model|workspace).{0,3}access.?denied|model.?not.?(open|activated)", re.I), MODEL_NOT_OPEN),
    (re.compile(r"(invalid|no|missing|incorrect).{0,3}api.?key", re.I), API_KEY_REFUSED),
)


def trouble_of_code(code: str) -> str | None:
    return _BY_CODE.get(code)


def account_trouble(state: BatchState) -> ProviderTrouble | None:
    """The trouble for which a batch failed before any row ran, if no row and no recipe is to blame for it.

    A model that does not exist (``model_not_found``) is none: it is the recipe's typing error.
    """
    if state.status is not BatchStatus.FAILED or not state.problems or not state.batch_id:
        return None
    troubles = [_trouble_in(problem) for problem in state.problems]
    if not all(troubles):
        return None
    first = state.problems[0]
    return ProviderTrouble(f"{first.message} (code {first.code})", troubles[0] or "")


def waiting_for(error: ConfigurationError, since: datetime) -> WaitingFor:
    """What a ticket says while the provider refuses its work; other errors than ``ProviderTrouble`` are named, too."""
    code = error.trouble if isinstance(error, ProviderTrouble) else "provider_refuses"
    problem = Problem(code, values={"said": str(error)})
    message = "\n".join((render_problem(problem, "zh"), render_problem(problem, "en")))
    return WaitingFor(code=code, message=message, since=since)


def _trouble_in(problem: BatchProblem) -> str | None:
    known = trouble_of_code(problem.code)
    if known or problem.line is not None:
        return known
    text = f"{problem.code} {problem.message}"
    return next((trouble for words, trouble in _BY_WORDS if words.search(text)), None)
