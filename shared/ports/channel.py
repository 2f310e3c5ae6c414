"""The port of the channels by which people get a word: chats, e-mail, webhooks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from pydantic import JsonValue

CHANNEL_KINDS = ("dingtalk", "feishu", "wecom", "slack", "email", "webhook")
# A part of keys, of a setting and of what people write.
_NAME = re.compile(r"[A-Za-z0-9_-]{1,40}", re.ASCII)


def is_channel_name(name: object) -> bool:
    return isinstance(name, str) and _NAME.fullmatch(name) is not None


def channels_in(value: object) -> list[str] | None:
    """``kind:name`` for each ``{kind: name}`` of a list; ``None`` if it is no such list."""
    if not isinstance(value, list):
        return None
    names = [_channel_in(entry) for entry in value]
    return None if None in names else list(dict.fromkeys(filter(None, names)))


def _channel_in(entry: object) -> str | None:
    if not isinstance(entry, dict) or len(entry) != 1:
        return None
    ((kind, name),) = entry.items()
    name = str(name) if isinstance(name, int) and not isinstance(name, bool) else name
    return f"{kind}:{name}" if kind in CHANNEL_KINDS and is_channel_name(name) else None


@dataclass(frozen=True)
class Word:
    """What one channel is to say.

    Attributes:
        id: Of the event: the same however often, and by however many channels, it is told.
        type: Of the event, such as ``job.done``.
        title: One line, in Chinese and English.
        lines: The whole text, title included, without line ends.
        data: The event for programs.
        at: When it happened.
    """

    id: str
    type: str
    title: str
    lines: tuple[str, ...]
    data: Mapping[str, JsonValue]
    at: datetime

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


class Channel(Protocol):
    """One chat, mailbox or endpoint."""

    def deliver(self, word: Word, now: datetime) -> None:
        """Say it, within seconds.

        Raises:
            ChannelRefused: It did not take it, or did not answer: perhaps it has it all the same.
        """
