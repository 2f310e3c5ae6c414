"""Bailian's OpenAI-compatible endpoints for single requests."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any

from openai import OpenAI, Timeout

from shared.formats.json.compact import compact_json
from shared.ports.real_time import MAX_REQUESTS
from shared.problems.exceptions import ProviderRejected, ProviderTrouble, TransientError
from shared.problems.problem import Problem
from shared.problems.render import render_both
from shared.providers.bailian.client import open_client
from shared.providers.bailian.errors import translated
from shared.providers.bailian.profile import TEST_ENDPOINT, TEST_MODEL
from shared.providers.bailian.troubles import WRONG_BASE_URL

_MODEL_CODES = frozenset({"model_not_found", "model_not_supported"})


class BailianRealTime:
    """``RealTime`` through the OpenAI SDK; safe to use from several threads.

    Every row is asked once: whoever looks at a preview can ask again.
    """

    # Until the whole answer is there, the line is silent.
    timeout = Timeout(45, connect=5)

    def __init__(self, client: OpenAI) -> None:
        self._client = client.with_options(max_retries=0, timeout=self.timeout)

    def answers(self, requests: Sequence[bytes]) -> list[bytes]:
        if len(requests) > MAX_REQUESTS:
            raise ValueError(f"{len(requests)} requests are more than {MAX_REQUESTS}")
        documents = [json.loads(request) for request in requests]
        with ThreadPoolExecutor(MAX_REQUESTS) as threads:
            found = list(threads.map(self._said_or_trouble, documents))
        troubles = [each for each in found if isinstance(each, ProviderTrouble)]
        if troubles and not any(isinstance(each, dict) and each["response"] for each in found):
            raise troubles[0]
        return [_line(asked, each) for asked, each in zip(documents, found, strict=True)]

    def _said_or_trouble(self, asked: Mapping[str, Any]) -> dict[str, object] | ProviderTrouble:
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
            return _not_now("no_answer_now", reason=str(error))

    def _said(self, url: str, body: Mapping[str, Any]) -> dict[str, object]:
        if url == TEST_ENDPOINT:
            return _not_now("only_in_batches", model=TEST_MODEL)
        with translated("answer a row", self._client):
            answer = self._client.post(url.removeprefix("/v1"), cast_to=object, body=dict(body))
        response = {"status_code": 200, "request_id": "", "body": answer}
        return {"response": response, "error": None}


def open_bailian_real_time(base_url: str, api_key: str) -> BailianRealTime:
    """The arguments and errors are those of ``open_bailian``."""
    return BailianRealTime(open_client(base_url, api_key))


def _line(asked: Mapping[str, Any], said: dict[str, object] | ProviderTrouble) -> bytes:
    told = _failed(said.trouble or said.code, str(said)) if isinstance(said, ProviderTrouble) else said
    return compact_json({"custom_id": asked["custom_id"], **told}).encode()


def _not_now(code: str, **values: str) -> dict[str, object]:
    return _failed(code, render_both(Problem(code, values=values)))


def _failed(code: str, message: str) -> dict[str, object]:
    """As a batch's error file says it."""
    return {"response": None, "error": {"code": code, "message": message}}
