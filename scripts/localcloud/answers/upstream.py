"""What is sent to any OpenAI-compatible server for a row, and what its replies say of the row."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests

from scripts.localcloud.answers.built_in_answers import Answer, Request, ok, response_of
from scripts.localcloud.servers.json_bodies import exact_json
from shared.providers.bailian.troubles import UPSTREAM_REFUSES_KEY, UPSTREAM_UNAVAILABLE

STOPS = "The service stops."
_TOLD_CHARS = 500
# Of the account, whichever row is asked about: key, money, permission, proxy.
_ACCOUNT = frozenset({401, 402, 403, 407})
# Later it may be answered: too slow, too early, too many.
_LATER = frozenset({408, 425, 429})
_WRONG_PATH = frozenset({404, 405})
# Where the text of an answer stands that is nested too deep.
UNREAD = "unread_answer"


@dataclass(frozen=True)
class Upstream:
    """A server that answers rows; ``model`` overrides the rows' own.

    ``first_pause_s`` is the pause before a row is tried again; it doubles each time. ``timeout_s``
    is how long the line may be silent. ``patience_s`` is how long an end that comes before all rows
    are done waits for the replies that are under way.
    """

    url: str
    api_key: str | None = None
    model: str | None = None
    first_pause_s: float = 0.5
    timeout_s: float = 600.0
    patience_s: float = 30.0


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


def request_to(upstream: Upstream, request: Request) -> bytes:
    """The body that the upstream gets."""
    asked = {**request.body, "stream": False}
    if upstream.model:
        asked["model"] = upstream.model
    return json.dumps(asked).encode()


def heard(status: int, content: bytes, url: str) -> Answer | Silence:
    """What the upstream's reply says of the row: its answer, a refusal, or nothing."""
    body = _json_of(content)
    if status == 200 and body is not None:
        return ok(body)
    text = content[: 4 * _TOLD_CHARS].decode(errors="replace")[:_TOLD_CHARS]
    told = f"{url}: HTTP {status} {text.strip()}".rstrip()
    is_worded = body is not None and not {"error", "message"}.isdisjoint(body)
    verdict = _verdict_of(status, body, told)
    if status in _ACCOUNT:
        return Silence(UPSTREAM_REFUSES_KEY, told, verdict)
    if 400 <= status < 500 and status not in _LATER and content:
        # Without a word about the row, the path is wrong, or another program listens there.
        return verdict if is_worded or status not in _WRONG_PATH else no_reply(told)
    if status == 500 and is_worded:
        return Silence(UPSTREAM_UNAVAILABLE, told, verdict, is_about_row=True)
    return no_reply(told)


def _verdict_of(status: int, body: dict[str, Any] | None, told: str) -> Answer:
    if body is None or "error" not in body:
        body = {"error": {"code": "upstream_error", "message": told}}
    return Answer(response=response_of(status, body), in_error_file=True)


def _json_of(content: bytes) -> dict[str, Any] | None:
    try:
        body = exact_json(content)
    except RecursionError:
        # It may be paid for, and nobody can write it as it is.
        return {UNREAD: content.decode(errors="replace")}
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def no_reply(said: str) -> Silence:
    """Nothing came that says anything of the row; ``said`` is what did, and from where."""
    # "expired": nobody refused the row, and it may be sent again.
    message = f"The upstream answered other rows, but not this one. {said}"
    error = {"code": "upstream_expired", "message": message}
    return Silence(UPSTREAM_UNAVAILABLE, said, Answer(error=error, in_error_file=True))


def is_reachable(upstream_url: str) -> bool:
    """Whether anything listens there; what it answers does not matter."""
    try:
        requests.get(upstream_url, timeout=2)
    except requests.RequestException:
        return False
    return True
