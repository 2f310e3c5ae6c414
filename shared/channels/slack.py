"""A channel of Slack, by its incoming webhook."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from shared.channels.post import json_bytes, post_json
from shared.ports.channel import Word
from shared.problems.exceptions import ChannelRefused


@dataclass(frozen=True)
class Slack:
    """Its URL is the secret; it signs nothing.

    What is not taken has a status and a word as plain text: 400 ``invalid_payload``, 403
    ``action_prohibited``, 404 ``channel_not_found`` or ``no_service``, 410 ``channel_is_archived``,
    500 ``rollup_error`` (https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks).
    One text a second is allowed; then it is 429, with the seconds to wait in ``Retry-After``
    (https://docs.slack.dev/apis/web-api/rate-limits), which are fewer than the timer waits.
    """

    url: str

    def deliver(self, word: Word, now: datetime) -> None:
        answer = post_json(self.url, json_bytes({"text": _escaped(word.text)}))
        if answer.status != HTTPStatus.OK:
            # An archived channel can be opened again, but nobody does so for a word.
            raise ChannelRefused(answer.shown, is_gone=answer.status == HTTPStatus.GONE)


def _escaped(text: str) -> str:
    """https://docs.slack.dev/messaging/formatting-message-text#escaping."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
