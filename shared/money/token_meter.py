"""Estimates how many tokens request lines have, while they stream by.

A tokenizer would take longer than all else that is done with a file. So some of the lines are
looked at, by what their characters are, and the rest goes by its bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from os.path import commonprefix
from typing import Any

from shared.money.characters import estimated_tokens

# Every line of a small file is looked at; of a large one so much, and one byte in 200 behind it.
_WHOLE_BYTES = 256 * 1024
_ONE_BYTE_IN = 200

# What stands around the texts of a chat, as Qwen's template writes it: <|im_start|>, the role and a
# line end before a message, <|im_end|> and a line end behind it, and the start of the answer
# (https://qwen.readthedocs.io/en/latest/getting_started/concepts.html).
_MESSAGE_TOKENS, _ANSWER_START_TOKENS = 5, 3


# A request of more tokens than this is charged by a higher tier, and has as many bytes at least.
_LONG_BYTES = 32_000


class TokenMeter:
    """Adds up request lines. What was looked at stands for all bytes since the look before, too.

    Attributes:
        longest_bytes: Of the longest line; where all are short, what they are shorter than.
    """

    def __init__(self) -> None:
        self._bytes = self._seen_bytes = self._unseen_bytes = 0
        self._tokens = self._density = 0.0
        self._beginning: str | None = None
        self.longest_bytes = 0

    @property
    def tokens(self) -> int:
        """An estimate for all lines."""
        return max(round(self._tokens + self._density * self._unseen_bytes), 0)

    @property
    def shared_tokens(self) -> int:
        """How many tokens each request begins with that all others begin with, too."""
        return max(round(estimated_tokens(self._beginning or "")), 0)

    def add(self, lines: bytes) -> None:
        """Add whole lines, as they are sent."""
        self._bytes += len(lines)
        self._unseen_bytes += len(lines)
        self.longest_bytes = max(self.longest_bytes, _longest(lines))
        wanted = _WHOLE_BYTES + self._bytes // _ONE_BYTE_IN - self._seen_bytes
        if wanted <= 0:
            return
        seen = lines[: lines.find(b"\n", min(wanted, len(lines) - 1)) + 1] or lines
        tokens = sum(map(self._look, seen.rstrip(b"\n").split(b"\n")))
        self._density = tokens / len(seen)
        self._tokens += self._density * self._unseen_bytes
        self._seen_bytes += len(seen)
        self._unseen_bytes = 0

    def _look(self, line: bytes) -> float:
        text, around = _text_and_around(line)
        if self._beginning is None:
            self._beginning = text
        elif not text.startswith(self._beginning):
            self._beginning = commonprefix([self._beginning, text])  # noqa: RUF071 - they are no paths
        return estimated_tokens(text) + around


def _longest(lines: bytes) -> int:
    """The longest line, or a bound: among short lines to look for it would take too long."""
    starts = range(0, len(lines), _LONG_BYTES // 2)
    if all(lines.find(b"\n", start, start + _LONG_BYTES // 2) >= 0 for start in starts):
        return _LONG_BYTES
    return max(map(len, lines.split(b"\n")))


def line_tokens(line: bytes) -> float:
    """The estimate for one request line; what is none has as many as a text."""
    text, around = _text_and_around(line)
    return estimated_tokens(text) + around


def _text_and_around(line: bytes) -> tuple[str, int]:
    """What the model reads, and how many tokens stand around it."""
    try:
        body = json.loads(line)["body"]
        messages, text = body.get("messages"), "\n".join(_texts(body))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return line.decode(errors="replace"), 0
    around = len(messages) * _MESSAGE_TOKENS + _ANSWER_START_TOKENS if isinstance(messages, list) else 0
    return text, around


def _texts(body: dict[str, Any]) -> Iterator[str]:
    """What the model reads: messages or input, the tools and the schema of its answer."""
    for message in body.get("messages") or ():
        yield from _strings(message.get("content"))
    yield from _strings(body.get("input"))
    for name in ("tools", "response_format"):
        if isinstance(body.get(name), list | dict) and (name == "tools" or "json_schema" in body[name]):
            yield json.dumps(body[name], ensure_ascii=False)


def _strings(content: Any) -> Iterator[str]:
    """Of a text, a list of texts, or parts of which some are texts."""
    if isinstance(content, str):
        yield content
    elif isinstance(content, list):
        for part in content:
            yield from _strings(part.get("text") if isinstance(part, dict) else part)
