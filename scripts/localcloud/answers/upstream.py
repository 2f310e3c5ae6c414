"""Rows forwarded to any OpenAI-compatible server, one HTTP request each."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests

from scripts.localcloud.answers.built_in_answers import Answer, Request, ok, response_of
from shared.providers.bailian.troubles import UPSTREAM_REFUSES_KEY, UPSTREAM_UNAVAILABLE

_CONNECT_S = 10
_ERRNO = re.compile(r"\[Errno -?\d+\] ([^'\")]+)")
# Of the account, whichever row is asked about: key, money, permission, proxy.
_ACCOUNT = frozenset({401, 402, 403, 407})
# Later it may be answered: too slow, too early, too many.
_LATER = frozenset({408, 425, 429})
_WRONG_PATH = frozenset({404, 405})


@dataclass(frozen=True)
class Upstream:
    """A server that answers rows; ``model`` overrides the rows' own.

    ``first_pause_s`` is the pause before a row is tried again; it doubles each time. ``timeout_s``
    is how long the line may be silent.
    """

    url: str
    api_key: str | None = None
    model: str | None = None
    first_pause_s: float = 0.5
    timeout_s: float = 600.0


@dataclass(frozen=True)
class Silence:
    """The upstream gave no answer to a row, which says nothing of the row as yet.

    Attributes:
        code: Of the message about what the work waits for.
        said: What happened, and where.
        verdict: What the row gets if it is the only one that is not answered.
        is_about_row: The upstream itself reports an error in the row's work, not in its own.
    """

    code: str
    said: str
    verdict: Answer
    is_about_row: bool = False


def upstream_url(base: str, path: str) -> str:
    """Where a row's ``url`` lives on the upstream server.

    A base with a path is what an OpenAI SDK takes as ``base_url``: it replaces the row's ``/v1``. A
    bare host keeps it.
    """
    base = base.rstrip("/")
    return base + (path.removeprefix("/v1") if urlsplit(base).path else path)


def ask_upstream(upstream: Upstream, request: Request) -> Answer | Silence:
    """The upstream's answer, or its refusal of this row, or why neither came."""
    asked = {**request.body, "stream": False}
    if upstream.model:
        asked["model"] = upstream.model
    headers = {"Content-Type": "application/json"}
    if upstream.api_key:
        headers["Authorization"] = f"Bearer {upstream.api_key}"
    url = upstream_url(upstream.url, request.url)
    try:
        response = requests.post(
            url, data=json.dumps(asked), headers=headers, timeout=(_CONNECT_S, upstream.timeout_s)
        )
    except requests.RequestException as error:
        return _silence(UPSTREAM_UNAVAILABLE, f"{url}: {_reason(error, upstream)}")
    return _heard(response, url)


def _heard(response: requests.Response, url: str) -> Answer | Silence:
    body, status = _json_of(response), response.status_code
    if status == 200 and body is not None:
        return ok(body)
    told = f"{url}: HTTP {status} {response.text[:500].strip()}".rstrip()
    is_worded = body is not None and not {"error", "message"}.isdisjoint(body)
    verdict = _verdict_of(status, body, told)
    if status in _ACCOUNT:
        return Silence(UPSTREAM_REFUSES_KEY, told, verdict)
    if 400 <= status < 500 and status not in _LATER and response.content:
        # Without a word about the row, the path is wrong, or another program listens there.
        return verdict if is_worded or status not in _WRONG_PATH else _silence(UPSTREAM_UNAVAILABLE, told)
    if status == 500 and is_worded:
        return Silence(UPSTREAM_UNAVAILABLE, told, verdict, is_about_row=True)
    return _silence(UPSTREAM_UNAVAILABLE, told)


def _verdict_of(status: int, body: dict[str, Any] | None, told: str) -> Answer:
    if body is None or "error" not in body:
        body = {"error": {"code": "upstream_error", "message": told}}
    return Answer(response=response_of(status, body), in_error_file=True)


def _silence(code: str, said: str) -> Silence:
    # "expired": nobody refused the row, and it may be sent again.
    message = f"The upstream answered other rows, but not this one. {said}"
    error = {"code": "upstream_expired", "message": message}
    return Silence(code, said, Answer(error=error, in_error_file=True))


def _reason(error: requests.RequestException, upstream: Upstream) -> str:
    if isinstance(error, requests.ReadTimeout):
        return f"no answer within {upstream.timeout_s:g} s"
    number = _ERRNO.search(str(error))
    return number[1] if number else type(error).__name__


def _json_of(response: requests.Response) -> dict[str, Any] | None:
    try:
        body = response.json()
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def is_reachable(upstream_url: str) -> bool:
    """Whether anything listens there; what it answers does not matter."""
    try:
        requests.get(upstream_url, timeout=2)
    except requests.RequestException:
        return False
    return True
