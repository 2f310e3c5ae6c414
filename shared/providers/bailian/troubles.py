"""Bailian's codes and words for what may be wrong with an account, its key or a model."""

from __future__ import annotations

import re
from collections.abc import Sequence

from shared.ports.provider import BatchProblem, FailedFor

# The codes of the messages that say who must do what.
ACCOUNT_WITHOUT_MONEY = "account_without_money"
MODEL_NOT_OPEN = "model_not_open"
API_KEY_REFUSED = "api_key_refused"
WRONG_BASE_URL = "wrong_base_url"
FILE_STORE_FULL = "file_store_full"
PERMISSION_MISSING = "permission_missing"
OSS_NOT_READABLE = "oss_not_readable"
# Only the local cloud's Bailian says these two, of the server that answers its rows.
UPSTREAM_UNAVAILABLE = "upstream_unavailable"
UPSTREAM_REFUSES_KEY = "upstream_refuses_key"

# https://help.aliyun.com/zh/model-studio/error-code. The code decides, whatever the status: some
# come with 400 or 429.
TROUBLE_BY_CODE = {
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
    UPSTREAM_UNAVAILABLE: UPSTREAM_UNAVAILABLE,
    UPSTREAM_REFUSES_KEY: UPSTREAM_REFUSES_KEY,
}

# The codes of a batch's validation are not documented; these words about the whole file suffice.
_TROUBLE_BY_WORDS = (
    (re.compile(r"free.?tier|arrear|overdue|unpurchased|not.?purchased", re.I), ACCOUNT_WITHOUT_MONEY),
    (re.compile(r"(model|workspace).{0,3}access.?denied|model.?not.?(open|activated)", re.I), MODEL_NOT_OPEN),
    (re.compile(r"(invalid|no|missing|incorrect).{0,3}api.?key", re.I), API_KEY_REFUSED),
)

# Limits that pass by themselves. No code is documented; these words stand in OpenAI's
# ("token_limit_exceeded") and in DashScope's ("Throttling.AllocationQuota").
_QUOTA = re.compile(r"quota|throttl|limit_exceeded|rate.?limit|too many|capacity", re.I)

# What is wrong with every row of a batch, whichever line is named: all have the same model and URL.
# A model that does not exist is a typing error in the recipe, no trouble with the account.
_FILE_WIDE_CODES = {"model_not_found", "url_not_found", "mismatched_test_url"}
_FILE_WIDE_PARAMS = {"url", "body.model", "model"}

IN_OSS = "oss:"  # so begins the name of an input there
# How Bailian says that it cannot read one is not documented either. These are words of the request,
# of OSS (AccessDenied, NoSuchKey, NoSuchBucket, InvalidObjectState), and of a failed download.
_OSS = re.compile(
    r"(?<![a-z])oss(?![a-z])|bucket|input.?file|datahub|access.?denied|forbidden|permission|no.?such"
    r"|download|file.{0,40}not.{0,9}(found|exist)",
    re.I,
)

CANCELLED_WORDS = ("cancel",)


def why_failed(problems: Sequence[BatchProblem], *, from_oss: bool = False) -> tuple[FailedFor, str]:
    """Why a batch failed before any row ran, and the code of the message if somebody must act.

    Rows are to blame unless every problem says otherwise. ``from_oss``: Its input lies there.
    """
    troubles = [
        _trouble_in(problem) or (_closed_bucket_in(problem) if from_oss else None) for problem in problems
    ]
    if troubles and all(troubles):
        return FailedFor.ACCOUNT, troubles[0] or ""
    if problems and all(map(_is_quota, problems)):
        return FailedFor.QUOTA, ""
    return FailedFor.ROWS, ""


def why_waiting(problems: Sequence[BatchProblem]) -> str:
    """The code of the message if somebody must act before a running batch goes on."""
    return next((trouble for trouble in map(_trouble_in, problems) if trouble), "")


def is_file_wide(problem: BatchProblem) -> bool:
    return problem.code in _FILE_WIDE_CODES or problem.param in _FILE_WIDE_PARAMS


def _trouble_in(problem: BatchProblem) -> str | None:
    known = TROUBLE_BY_CODE.get(problem.code)
    if known or problem.line is not None:
        return known
    text = _text_of(problem)
    return next((trouble for words, trouble in _TROUBLE_BY_WORDS if words.search(text)), None)


def is_about_oss(said: str) -> bool:
    """Whether the words may be about an input in OSS that cannot be read."""
    return bool(_OSS.search(said))


def _closed_bucket_in(problem: BatchProblem) -> str | None:
    is_of_rows = problem.line is not None or is_file_wide(problem)
    return None if is_of_rows or not is_about_oss(_text_of(problem)) else OSS_NOT_READABLE


def _is_quota(problem: BatchProblem) -> bool:
    is_meant = problem.line is None and _QUOTA.search(_text_of(problem))
    return bool(is_meant) and _trouble_in(problem) is None


def _text_of(problem: BatchProblem) -> str:
    return f"{problem.code} {problem.message}"
