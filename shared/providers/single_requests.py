"""Asks single requests of an OpenAI-compatible service, and says each reply as a batch does."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple

import httpx2
from openai import OpenAI, Timeout

from shared.formats.json.compact import compact_json
from shared.ports.real_time import MAX_REQUESTS, Asked, Reply
from shared.problems.exceptions import ProviderRejected, ProviderTrouble, QuotaReached, TransientError
from shared.problems.problem import Problem
from shared.problems.render import render_both


class SingleRequests(ABC):
    """``RealTime`` through the OpenAI SDK, which asks nothing again; safe for several threads."""

    # Until the whole answer is there, the line is silent.
    timeout = Timeout(45, connect=5)

    def __init__(self, client: OpenAI) -> None:
        self._client = client.with_options(max_retries=0, timeout=self.timeout)

    @abstractmethod
    def _body(self, asked: Mapping[str, Any], model: str) -> object:
        """Ask, and return the body of the answer; its errors are ours.

        Args:
            asked: The request line.
            model: Of all requests; the line may name it, too.
        """

    def answers(self, requests: Sequence[bytes], model: str) -> list[Reply]:
        if len(requests) > MAX_REQUESTS:
            raise ValueError(f"{len(requests)} requests are more than {MAX_REQUESTS}")
        documents = [json.loads(request) for request in requests]
        with ThreadPoolExecutor(MAX_REQUESTS) as threads:
            found = list(threads.map(partial(self._said_or_trouble, model), documents))
        troubles = [each for each in found if isinstance(each, ProviderTrouble)]
        if troubles and all(isinstance(each, ProviderTrouble) or each.is_refused for each in found):
            raise troubles[0]
        return [_reply(asked, each) for asked, each in zip(documents, found, strict=True)]

    def _said_or_trouble(self, model: str, asked: Mapping[str, Any]) -> _Said | ProviderTrouble:
        """A trouble is returned: what the other rows were answered is paid, and shall be seen."""
        try:
            body = self._body(asked, model)
        except ProviderRejected as refusal:
            return _failed(refusal.provider_code or "refused", str(refusal))
        except ProviderTrouble as trouble:
            return trouble
        except TransientError as error:
            asked_how = Asked.REFUSED if _was_not_run(error) else Asked.UNKNOWN
            problem = Problem("no_answer_now", values={"reason": str(error)})
            return _failed("no_answer_now", render_both(problem), asked_how)
        response = {"status_code": 200, "request_id": "", "body": body}
        return _Said({"response": response, "error": None}, Asked.ANSWERED)


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


def _failed(code: str, message: str, asked: Asked = Asked.REFUSED) -> _Said:
    """As a batch's error file says it."""
    return _Said({"response": None, "error": {"code": code, "message": message}}, asked)
