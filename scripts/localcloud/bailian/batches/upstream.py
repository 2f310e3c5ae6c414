"""Rows forwarded to any OpenAI-compatible server, one HTTP request each."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests

from scripts.localcloud.bailian.batches.built_in_answers import Answer, Request, ok, response_of

_TRIES = 4
_TIMEOUT_S = (10, 600)


@dataclass(frozen=True)
class Upstream:
    """A server that answers rows; ``model`` overrides the rows' own."""

    url: str
    api_key: str | None = None
    model: str | None = None
    first_pause_s: float = 0.5


def upstream_url(base: str, path: str) -> str:
    """Where a row's ``url`` lives on the upstream server.

    A base with a path is what an OpenAI SDK takes as ``base_url``: it replaces the row's ``/v1``. A
    bare host keeps it.
    """
    base = base.rstrip("/")
    return base + (path.removeprefix("/v1") if urlsplit(base).path else path)


def ask_upstream(upstream: Upstream, request: Request, stopping: threading.Event) -> Answer:
    """The upstream's answer, retried with growing pauses at 429, 5xx and silence."""
    answer = _no_answer("stopped")
    for tried in range(_TRIES):
        answer = _ask_once(upstream, request)
        status = (answer.response or {}).get("status_code", 503)
        if status != 429 and status < 500:
            return answer
        if tried < _TRIES - 1 and stopping.wait(upstream.first_pause_s * 2**tried):
            break
    return answer


def _ask_once(upstream: Upstream, request: Request) -> Answer:
    asked = {**request.body, "stream": False}
    if upstream.model:
        asked["model"] = upstream.model
    headers = {"Authorization": f"Bearer {upstream.api_key}"} if upstream.api_key else {}
    url = upstream_url(upstream.url, request.url)
    try:
        response = requests.post(url, json=asked, headers=headers, timeout=_TIMEOUT_S)
    except requests.RequestException as error:
        return _no_answer(type(error).__name__)
    body = _json_of(response)
    if response.status_code == 200 and body is not None:
        return ok(body)
    if body is None or "error" not in body:
        told = f"The upstream answered HTTP {response.status_code} at {url}: {response.text[:500]}"
        body = {"error": {"code": "upstream_error", "message": told}}
    # A success without JSON is no answer. 400, because asking again would bring the same.
    status = 400 if response.status_code == 200 else response.status_code
    return Answer(response=response_of(status, body), in_error_file=True)


def _json_of(response: requests.Response) -> dict[str, Any] | None:
    try:
        body = response.json()
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _no_answer(reason: str) -> Answer:
    return Answer(
        error={"code": "upstream_unavailable", "message": f"The upstream did not answer: {reason}."},
        in_error_file=True,
    )


def is_reachable(upstream_url: str) -> bool:
    """Whether anything listens there; what it answers does not matter."""
    try:
        requests.get(upstream_url, timeout=2)
    except requests.RequestException:
        return False
    return True
