"""What Bailian's errors mean to us: who must act, and whether the call was carried out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
from openai import APIStatusError, OpenAI, OpenAIError
from pydantic import ValidationError

from shared.problems.exceptions import (
    PipelineError,
    ProviderRejected,
    ProviderTrouble,
    QuotaReached,
    TransientError,
)
from shared.providers.bailian.troubles import (
    ACCOUNT_WITHOUT_MONEY,
    API_KEY_REFUSED,
    FILE_STORE_FULL,
    MODEL_NOT_OPEN,
    OSS_NOT_READABLE,
    PERMISSION_MISSING,
    TROUBLE_BY_CODE,
    WRONG_BASE_URL,
)
from shared.stores.pieces.addresses import is_wrong_address

# Recorded texts of the File API's quotas, which come without a code.
_FILE_QUOTA = ("capacity exceed limit", "number exceed limit")

# For the log; ``shared.problems.messages.provider`` has the texts for people.
REMEDIES = {
    ACCOUNT_WITHOUT_MONEY: "The operator must pay or open Bailian (Model Studio) for this Alibaba Cloud account.",
    MODEL_NOT_OPEN: "The operator must give the API key's workspace access to this model in the Bailian console.",
    FILE_STORE_FULL: "The operator must delete old files from Bailian's file store, which holds 10,000 files or 100 GB.",
    API_KEY_REFUSED: "The operator must set DASHSCOPE_API_KEY to a valid key of the same region as the base URL.",
    PERMISSION_MISSING: "The operator must allow this in the Bailian console: the API key has no permission for it.",
    WRONG_BASE_URL: "The operator must correct DASHSCOPE_BASE_URL.",
    OSS_NOT_READABLE: "The operator must let Bailian read the bucket, by its service-linked role and the bucket's tag, or set INPUT_FROM to upload.",
}


@contextmanager
def translated(
    action: str, client: OpenAI, *, if_unclear: type[TransientError] = TransientError
) -> Iterator[None]:
    """Turn the SDK's exceptions into ours.

    Args:
        action: What was being done, for the messages.
        client: The one that was called; its key is cut out of every message.
        if_unclear: Raised if the call may have been carried out: no answer, a 5xx, or an answer
            that cannot be read.
    """
    try:
        yield
    except APIStatusError as error:
        raise _error_for(error, action, client.api_key, if_unclear) from error
    except (OpenAIError, httpx2.HTTPError, ValidationError, json.JSONDecodeError) as error:
        # A streamed body fails with httpx2's own errors; openai wraps only those of the request.
        if is_wrong_address(error):
            facts, remedy = f"No Bailian is there to: {action}", REMEDIES[WRONG_BASE_URL]
            raise ProviderTrouble(facts, WRONG_BASE_URL, remedy=remedy) from error
        raise if_unclear(f"Bailian gave no usable answer to: {action} ({type(error).__name__})") from error


def is_not_found(refusal: ProviderRejected) -> bool:
    return refusal.status == 404


def _error_for(
    error: APIStatusError, action: str, api_key: str, if_unclear: type[TransientError]
) -> PipelineError:
    status, code, request_id = error.status_code, error.code or "", error.request_id or ""
    said = _said(error).replace(api_key, "***")
    facts = f"Bailian refused to {action}: {said} (status {status}, code {code}, request {request_id})"
    trouble = _trouble(status, code, said)
    if trouble:
        return ProviderTrouble(facts, trouble, remedy=REMEDIES.get(trouble, ""))
    if status == 429:
        return QuotaReached(facts)
    if status >= 500 or status == 408:
        return if_unclear(facts)
    return ProviderRejected(facts, provider_code=code, status=status, request_id=request_id)


def _said(error: APIStatusError) -> str:
    """The provider's words, from ``error``, which the SDK unwraps, or from the top level."""
    if isinstance(error.body, dict):
        return str(error.body.get("message") or "no message")[:500]
    return "no readable message"


def _trouble(status: int, code: str, said: str) -> str | None:
    """What the operator must mend, or ``None`` if it is not theirs to mend."""
    known = TROUBLE_BY_CODE.get(code)
    if known:
        return known
    if any(text in said for text in _FILE_QUOTA):
        return FILE_STORE_FULL
    if status == 401:
        return API_KEY_REFUSED
    return PERMISSION_MISSING if status == 403 else None
