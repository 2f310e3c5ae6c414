"""Anybody's endpoint, in the form of Standard Webhooks 1.0.0."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from shared.channels.post import json_bytes, post_json
from shared.ports.channel import Word
from shared.problems.exceptions import ChannelRefused

SECRET_PREFIX = "whsec_"  # noqa: S105 - of each secret


@dataclass(frozen=True)
class Webhook:
    """https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md.

    ``webhook-id`` is the event's and the same each time, ``webhook-timestamp`` is that of this
    delivery. Any status of 200 to 299 means taken, and 410 that nothing more is wanted.

    Attributes:
        secret: ``whsec_`` and 24 to 64 bytes in base64.
    """

    url: str
    secret: str

    def deliver(self, word: Word, now: datetime) -> None:
        body = json_bytes({"type": word.type, "timestamp": word.at.isoformat(), "data": dict(word.data)})
        timestamp = str(int(now.timestamp()))
        headers = {
            "webhook-id": word.id,
            "webhook-timestamp": timestamp,
            "webhook-signature": signature(self.secret, word.id, timestamp, body),
        }
        answer = post_json(self.url, body, headers)
        if not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
            # Some endpoints answer with what they got, and a word may hold a link.
            raise ChannelRefused(f"status {answer.status}", is_gone=answer.status == HTTPStatus.GONE)


def signature(secret: str, word_id: str, timestamp: str, body: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    signed = hmac.new(key, b".".join((word_id.encode(), timestamp.encode(), body)), hashlib.sha256)
    return f"v1,{base64.b64encode(signed.digest()).decode()}"
