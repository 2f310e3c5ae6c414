"""Bailian's OpenAI-compatible endpoints for single requests."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any, NamedTuple

import httpx2
from openai import OpenAI, Timeout

from shared.formats.json.compact import compact_json
from shared.ports.real_time import MAX_REQUESTS, Asked, Reply
from shared.problems.exceptions import ProviderRejected, ProviderTrouble, QuotaReached, TransientError
from shared.problems.problem import Problem
from shared.problems.render import render_both
from shared.providers.bailian.client import open_client
from shared.providers.bailian.errors import translated
from shared.providers.bailian.profile import TEST_ENDPOINT, TEST_MODEL
from shared.providers.bailian.troubles import WRONG_BASE_URL

_MODEL_CODES = frozenset({"model_not_found", "model_not_supported"})


class BailianRealTime:
    """``RealTime`` through the OpenAI SDK, which asks nothing again; safe for several threads."""

    # Until the whole answer is there, the line is silent.
    timeout = Timeout(45, connect=5)

    def __init__(self, client: OpenAI) -> None:
        self._client = client.with_options(max_retries=0, timeout=self.timeout)

    def answers(self, requests: Sequence[bytes]) -> list[Reply]:
        if len(requests) > MAX_REQUESTS:
            raise ValueError(f"{len(requests)} requests are more than {MAX_REQUESTS}")
        documents = [json.loads(request) for request in requests]
        with ThreadPoolExecutor(MAX_REQUESTS) as threads:
            found = list(threads.map(self._said_or_trouble, documents))
        troubles = [each for each in found if isinstance(each, ProviderTrouble)]
        if troubles and all(isinstance(each, ProviderTrouble) or each.is_refused for each in found):
            raise troubles[0]
        return [_reply(asked, each) for asked, each in zip(documents, found, strict=True)]

    def _said_or_trouble(self, asked: Mapping[str, Any]) -> _Said | ProviderTrouble:
        """A trouble is returned: what the other rows were answered is paid, and shall be seen."""
        try:
            return self._said(asked["url"], asked["body"])
        except ProviderRejected as refusal:
            if refusal.status == HTTPStatus.NOT_FOUND and refusal.provider_code not in _MODEL_CODES:
                remedy = "The operator must correct DASHSCOPE_BASE_URL."
                return ProviderTrouble(str(refusal), WRONG_BASE_URL, remedy=remedy)
            return _failed(refusal.provider_code or "refused", str(refusal))
        except ProviderTrouble as trouble:
            return trouble
        except TransientError as error:
            asked_how = Asked.REFUSED if _was_not_run(error) else Asked.UNKNOWN
            return _not_now("no_answer_now", asked_how, reason=str(error))

    def _said(self, url: str, body: Mapping[str, Any]) -> _Said:
        if url == TEST_ENDPOINT:
            return _not_now("only_in_batches", Asked.REFUSED, model=TEST_MODEL)
        with translated("answer a row", self._client):
            answer = self._client.post(url.removeprefix("/v1"), cast_to=object, body=dict(body))
        response = {"status_code": 200, "request_id": "", "body": answer}
        return _Said({"response": response, "error": None}, Asked.ANSWERED)


def open_bailian_real_time(base_url: str, api_key: str) -> BailianRealTime:
    """The arguments and errors are those of ``open_bailian``."""
    return BailianRealTime(open_client(base_url, api_key))


class _Said(NamedTuple):
    document: dict[str, object]
    asked: Asked

    @property
    def is_refused(self) -> bool:
        return self.asked is Asked.REFUSED


def _was_not_run(error: TransientError) -> bool:
    """Whether it was turned away (429), or there was no connection to ask by."""
    if isinstance(error, QuotaReached):
        return True
    cause = error.__cause__
    reasons = (cause, cause.__cause__ if cause else None)
    return any(isinstance(each, httpx2.ConnectError | httpx2.ConnectTimeout) for each in reasons)


def _reply(asked: Mapping[str, Any], said: _Said | ProviderTrouble) -> Reply:
    told = _failed(said.trouble or said.code, str(said)) if isinstance(said, ProviderTrouble) else said
    line = compact_json({"custom_id": asked["custom_id"], **told.document}).encode()
    return Reply(line, told.asked)


def _not_now(code: str, asked: Asked, **values: str) -> _Said:
    return _failed(code, render_both(Problem(code, values=values)), asked)


def _failed(code: str, message: str, asked: Asked = Asked.REFUSED) -> _Said:
    """As a batch's error file says it."""
    return _Said({"response": None, "error": {"code": code, "message": message}}, asked)
