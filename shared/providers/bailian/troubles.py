"""Bailian's codes and words for what may be wrong with an account, its key or a model."""

from __future__ import annotations

import re

from shared.ports.profile import (
    ACCOUNT_WITHOUT_MONEY,
    API_KEY_REFUSED,
    MODEL_NOT_OPEN,
    RowCodes,
    TroubleTable,
)

# The codes of a batch's validation are not documented; these words about the whole file suffice.
_WORDS = (
    (re.compile(r"free.?tier|arrear|overdue|unpurchased|not.?purchased", re.I), ACCOUNT_WITHOUT_MONEY),
    (re.compile(r"(model|workspace).{0,3}access.?denied|model.?not.?(open|activated)", re.I), MODEL_NOT_OPEN),
    (re.compile(r"(invalid|no|missing|incorrect).{0,3}api.?key", re.I), API_KEY_REFUSED),
)

BAILIAN_TROUBLES = TroubleTable(
    # https://help.aliyun.com/zh/model-studio/error-code. The code decides, whatever the status:
    # some come with 400 or 429.
    by_code={
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
    },
    by_words=_WORDS,
    # No code is documented; these words stand in OpenAI's ("token_limit_exceeded") and in
    # DashScope's ("Throttling.AllocationQuota").
    quota=re.compile(r"quota|throttl|limit_exceeded|rate.?limit|too many|capacity", re.I),
    # A model that does not exist is a typing error in the recipe, no trouble with the account.
    file_wide_codes=frozenset({"model_not_found", "url_not_found", "mismatched_test_url"}),
    file_wide_params=frozenset({"url", "body.model", "model"}),
)

BAILIAN_ROW_CODES = RowCodes(
    # OpenAI's own for an expired batch is "batch_expired"; Bailian publishes no list, so the words
    # are matched, not the whole code.
    retryable=(
        "expired",
        "throttl",
        "rate_limit",
        "ratelimit",
        "timeout",
        "unavailable",
        "internal",
        "overload",
    ),
    cancelled=("cancel",),
)
