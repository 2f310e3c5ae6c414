"""Posts a word over HTTP, within seconds, and says nothing of the address: it may hold a secret."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests
from pydantic import JsonValue
from urllib3.exceptions import HTTPError

from shared.problems.exceptions import ChannelRefused

CONNECT_TIMEOUT_S, READ_TIMEOUT_S = 3.0, 10.0
_MAX_ANSWER_BYTES = 16 * 1024
_SHOWN_CHARS = 200
_JSON = {"Content-Type": "application/json; charset=utf-8"}


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    text: str

    @property
    def shown(self) -> str:
        """For the log; vendors do not repeat the address in it."""
        return f"status {self.status}: {self.text[:_SHOWN_CHARS]}"

    def field(self, name: str) -> Any:
        """A field of the JSON object that it is; ``None`` if it is none."""
        try:
            document = json.loads(self.text)
        except (ValueError, RecursionError):
            return None
        return document.get(name) if isinstance(document, dict) else None


def json_bytes(document: Mapping[str, JsonValue]) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def post_json(url: str, body: bytes, headers: Mapping[str, str] | None = None) -> Answer:
    """Post once: what was not taken is posted again by the timer, not here.

    Redirects are not followed, and no proxy or password of the environment is used.

    Raises:
        ChannelRefused: No answer came.
    """
    with requests.Session() as session:
        session.trust_env = False
        try:
            with session.post(
                url,
                data=body,
                headers={**_JSON, **(headers or {})},
                timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S),
                allow_redirects=False,
                stream=True,
            ) as answer:
                content = _beginning(answer)
        except (requests.RequestException, HTTPError) as error:
            raise ChannelRefused(f"no answer: {type(error).__name__}", is_silent=True) from None
    return Answer(answer.status_code, content.decode(errors="replace"))


def _beginning(answer: requests.Response) -> bytes:
    """Within ``READ_TIMEOUT_S`` for all of it: the time-out alone is for each piece.

    Raises:
        requests.Timeout: It trickles.
    """
    content, until_s = b"", time.monotonic() + READ_TIMEOUT_S
    while piece := answer.raw.read1(_MAX_ANSWER_BYTES - len(content), decode_content=True):
        content += piece
        if len(content) >= _MAX_ANSWER_BYTES:
            break
        if time.monotonic() > until_s:
            raise requests.Timeout
    return content[:_MAX_ANSWER_BYTES]


def taken_or_refused(answer: Answer, *, code_field: str) -> None:
    """Of the chats that answer 200 whatever happened, and say in a field whether it was taken.

    Raises:
        ChannelRefused: The field is not 0.
    """
    if answer.status != requests.codes.ok or answer.field(code_field) != 0:
        raise ChannelRefused(answer.shown)
