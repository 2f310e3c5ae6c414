"""A group of WeCom (企业微信), by its group robot."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.channels.plain_text import plain_text
from shared.channels.post import json_bytes, post_json, taken_or_refused
from shared.ports.channel import Word

# https://developer.work.weixin.qq.com/document/path/91770
_MAX_BYTES = 2048


@dataclass(frozen=True)
class WeCom:
    """Its URL holds the robot's key; it signs nothing.

    What is not taken is answered 200 with an ``errcode``: 93000 for a wrong key or a robot that was
    removed, 45009 for more than 20 texts in a minute, -1 if the system is busy
    (https://developer.work.weixin.qq.com/document/path/91770, /path/90313).
    """

    url: str

    def deliver(self, word: Word, now: datetime) -> None:
        text = plain_text(word.text).encode()[:_MAX_BYTES].decode(errors="ignore")
        body = json_bytes({"msgtype": "text", "text": {"content": text}})
        taken_or_refused(post_json(self.url, body), code_field="errcode")
