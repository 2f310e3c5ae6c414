"""Ark's OpenAI-compatible endpoints for single requests, which an API key of its own opens.

https://www.volcengine.com/docs/82379/1494384; the paths, the bearer key and the form of errors are
those of https://github.com/volcengine/volcengine-python-sdk (``volcenginesdkarkruntime``).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

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
from shared.providers.ark.models import model_id
from shared.providers.ark.troubles import (
    ACCESS_KEY_REFUSED,
    ACCESS_KEY_WITHOUT_PERMISSION,
    WRONG_ADDRESS,
    is_quota,
    trouble_of,
)
from shared.providers.single_requests import SingleRequests
from shared.stores.pieces.addresses import is_wrong_address

_CHAT, _EMBEDDINGS = "/chat/completions", "/embeddings"
# What is said of the access key of jobs is said here of the API key.
_OF_API_KEY = {ACCESS_KEY_REFUSED: "api_key_refused", ACCESS_KEY_WITHOUT_PERMISSION: "permission_missing"}
# For the log; ``shared.problems.messages.provider`` has the texts for people.
_REMEDIES = {
    "api_key_refused": "The operator must set ARK_API_KEY to a valid key of the region of ARK_BASE_URL.",
    "permission_missing": "The operator must let ARK_API_KEY call this model in the Ark console.",
    WRONG_ADDRESS: "The operator must correct ARK_BASE_URL.",
}
_MAX_SAID = 500


class ArkRealTime(SingleRequests):
    """A line names neither path nor model; its body tells a chat from an embedding."""

    def _body(self, asked: Mapping[str, Any], model: str) -> object:
        body = {**asked["body"], "model": model_id(model)}
        path = _CHAT if "messages" in body else _EMBEDDINGS
        with _translated(self._client):
            return self._client.post(path, cast_to=object, body=body)


def open_ark_real_time(base_url: str, api_key: str) -> ArkRealTime:
    """The service at an address such as https://ark.cn-beijing.volces.com/api/v3."""
    return ArkRealTime(OpenAI(base_url=base_url, api_key=api_key))


@contextmanager
def _translated(client: OpenAI) -> Iterator[None]:
    """Turn the SDK's exceptions into ours; what may have been run is a ``TransientError``."""
    try:
        yield
    except APIStatusError as error:
        raise _error_for(error, client.api_key) from error
    except (OpenAIError, httpx2.HTTPError, ValidationError, json.JSONDecodeError) as error:
        if is_wrong_address(error):
            facts, remedy = "No Ark is there to answer a row", _REMEDIES[WRONG_ADDRESS]
            raise ProviderTrouble(facts, WRONG_ADDRESS, remedy=remedy) from error
        raise TransientError(f"Ark gave no usable answer to a row ({type(error).__name__})") from error


def _error_for(error: APIStatusError, api_key: str) -> PipelineError:
    status, code, request_id = error.status_code, str(error.code or ""), error.request_id or ""
    said = _said(error).replace(api_key, "***")
    facts = f"Ark refused to answer a row: {said} (status {status}, code {code}, request {request_id})"
    found = trouble_of(status, code)
    if found:
        trouble = _OF_API_KEY.get(found, found)
        return ProviderTrouble(facts, trouble, remedy=_REMEDIES.get(trouble, ""))
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT:
        return TransientError(facts)
    if is_quota(status, code, ""):
        return QuotaReached(facts)
    return ProviderRejected(facts, provider_code=code, status=status, request_id=request_id)


def _said(error: APIStatusError) -> str:
    """Ark's words, from ``error``, which the SDK unwraps."""
    if isinstance(error.body, dict):
        return str(error.body.get("message") or "no message")[:_MAX_SAID]
    return "no readable message"
