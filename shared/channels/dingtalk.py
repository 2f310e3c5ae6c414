"""A group of DingTalk, by its custom robot."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from shared.channels.plain_text import plain_text
from shared.channels.post import json_bytes, post_json, taken_or_refused
from shared.ports.channel import Word


@dataclass(frozen=True)
class DingTalk:
    """Its security is a signature with ``secret``, or a keyword, which each text has: Batchdrop.

    The signature, whose time is in milliseconds and may be an hour off, stands in the URL:
    https://open.dingtalk.com/document/robots/customize-robot-security-settings. What is not taken
    is answered 200 with an ``errcode``: 310000 for a wrong signature or a text without the keyword,
    130101 for more than 20 texts in a minute, after which ten minutes pass without any, -1 if the
    system is busy (https://open.dingtalk.com/document/robots/custom-robot-access).
    """

    url: str
    secret: str = ""

    def deliver(self, word: Word, now: datetime) -> None:
        body = json_bytes({"msgtype": "text", "text": {"content": plain_text(word.text)}})
        taken_or_refused(post_json(self._signed_url(now), body), code_field="errcode")

    def _signed_url(self, now: datetime) -> str:
        if not self.secret:
            return self.url
        timestamp = str(int(now.timestamp() * 1000))
        signed = hmac.new(self.secret.encode(), f"{timestamp}\n{self.secret}".encode(), hashlib.sha256)
        query = urlencode({"timestamp": timestamp, "sign": base64.b64encode(signed.digest())})
        return f"{self.url}{'&' if '?' in self.url else '?'}{query}"
