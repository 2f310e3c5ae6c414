"""A group of Feishu (Lark), by its custom bot."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue

from shared.channels.plain_text import plain_text
from shared.channels.post import json_bytes, post_json, taken_or_refused
from shared.ports.channel import Word


@dataclass(frozen=True)
class Feishu:
    """Its security is a signature with ``secret``, or a keyword, which each text has: Batchdrop.

    The signature, whose time is in seconds and may be an hour off, stands in the body. The text to
    sign is its key, and what is signed is empty. What is not taken has a ``code``: 19021 for a
    wrong signature, 19022 for an address that is not allowed, 19024 for a missing keyword, 9499
    for a wrong body or too many requests, 11232 if Feishu limits all bots at once, as on the hour;
    100 texts a minute are allowed, 5 a second and 20 KB each
    (https://open.larkoffice.com/document/ukTMukTMukTM/ucTM5YjL3ETO24yNxkjN.md).
    """

    url: str
    secret: str = ""

    def deliver(self, word: Word, now: datetime) -> None:
        text: JsonValue = {"text": plain_text(word.text)}
        body = json_bytes({**self._signature(now), "msg_type": "text", "content": text})
        taken_or_refused(post_json(self.url, body), code_field="code")

    def _signature(self, now: datetime) -> dict[str, str]:
        if not self.secret:
            return {}
        timestamp = str(int(now.timestamp()))
        signed = hmac.new(f"{timestamp}\n{self.secret}".encode(), b"", hashlib.sha256)
        return {"timestamp": timestamp, "sign": base64.b64encode(signed.digest()).decode()}
