"""Estimates how many tokens request lines have, while they stream by.

A tokenizer would take longer than all else that is done with a file. So some of the lines are
looked at, by what their characters are, and the rest goes by its bytes.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

from shared.formats.sizes import MIB
from shared.money.tokens.characters import estimated_tokens
from shared.money.tokens.line_parameters import loaded, names_file, reads_more

# Every line of a small file is looked at; of a large one so much, and then one byte in 10 of the
# first MiB, in 300 of the first 32, and in 1,500 of the rest, at several places of each block if
# that is more than a few lines.
_WHOLE_BYTES = 128 * 1024
_ONE_IN = ((10, MIB), (300, 32 * MIB), (1500, sys.maxsize))
_PLACES, _PLACE_BYTES = 8, 1024
# Of what was looked at before, so much counts, or as much as of the new: a file may go on in
# another language.
_RECENT_BYTES = 2 * 1024

# Of a longer text, several pieces of these many characters together stand for all of it: looked at
# whole, a line of 6 MB would take a second and 200 MB.
_MOST_CHARS, _PIECES = 32 * 1024, 8

# What stands around the texts of a chat, as Qwen's template writes it: <|im_start|>, the role and a
# line end before a message, <|im_end|> and a line end behind it, and the start of the answer
# (https://qwen.readthedocs.io/en/latest/getting_started/concepts.html).
_MESSAGE_TOKENS, _ANSWER_START_TOKENS = 5, 3


# A request of more tokens than this is charged by a higher tier, and has as many bytes at least.
_LONG_BYTES = 32_000


class TokenMeter:
    """Adds up request lines. The last looks stand for all bytes since the look before, too.

    Attributes:
        longest_bytes: Of the longest line; where all are short, what they are shorter than.
        reads_more: Of a line that was looked at the service reads more than texts.
    """

    def __init__(self) -> None:
        self._bytes = self._seen_bytes = self._unseen_bytes = 0
        self._tokens = self._recent_bytes = self._recent_tokens = 0.0
        self._beginning: str | None = None
        self.longest_bytes = 0
        self.reads_more = False

    @property
    def tokens(self) -> int:
        """An estimate for all lines."""
        return max(round(self._tokens + self._density * self._unseen_bytes), 0)

    @property
    def _density(self) -> float:
        """Tokens a byte, lately."""
        return self._recent_tokens / max(self._recent_bytes, 1)

    @property
    def shared_tokens(self) -> int:
        """How many tokens each request begins with that all others begin with, too."""
        return max(round(_tokens_of(self._beginning or "")), 0)

    def add(self, lines: bytes) -> None:
        """Add whole lines, as they are sent."""
        self._bytes += len(lines)
        self._unseen_bytes += len(lines)
        self.longest_bytes = max(self.longest_bytes, _longest(lines))
        wanted = self._wanted()
        if wanted <= 0:
            return
        seen = b"".join(_places(lines, wanted))
        tokens = self._look(seen.rstrip(b"\n").split(b"\n"))
        kept = min(1, max(_RECENT_BYTES, len(seen)) / max(self._recent_bytes, 1))
        self._recent_bytes = self._recent_bytes * kept + len(seen)
        self._recent_tokens = self._recent_tokens * kept + tokens
        unseen = max(self._unseen_bytes - len(seen), 0)
        self._tokens += tokens + self._density * unseen
        self._seen_bytes += len(seen)
        self._unseen_bytes = 0

    def _wanted(self) -> int:
        """How many more bytes are to be looked at by now."""
        wanted, begun = _WHOLE_BYTES, 0
        for one_in, end in _ONE_IN:
            wanted += max(min(self._bytes, end) - begun, 0) // one_in
            begun = end
        return wanted - self._seen_bytes

    def _look(self, lines: list[bytes]) -> float:
        """The estimate for these lines."""
        found = [_read(line) for line in lines]
        texts = [each.text for each in found]
        self.reads_more |= any(each.more for each in found)
        for text in texts:
            if self._beginning is None:
                self._beginning = text
            elif not text.startswith(self._beginning):
                self._beginning = _common_beginning(self._beginning, text)
        short = [text for text in texts if len(text) <= _MOST_CHARS]
        long = sum(_tokens_of(text) for text in texts if len(text) > _MOST_CHARS)
        return estimated_tokens(*short) + long + sum(each.around for each in found)


def _tokens_of(text: str) -> float:
    """The estimate for one text of any length."""
    if len(text) <= _MOST_CHARS:
        return estimated_tokens(text)
    starts = range(0, len(text), len(text) // _PIECES + 1)
    pieces = [text[start : start + _MOST_CHARS // _PIECES] for start in starts]
    return estimated_tokens(*pieces) * len(text) / sum(map(len, pieces))


def _common_beginning(one: str, other: str) -> str:
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one.startswith(other[:middle]):
            low = middle
        else:
            high = middle - 1
    return one[:low]


def _places(lines: bytes, wanted: int) -> Iterator[bytes]:
    """Whole lines of about so many bytes, from all over."""
    if wanted >= len(lines):
        yield lines
        return
    places = max(min(_PLACES, wanted // _PLACE_BYTES), 1)
    end = 0
    for at in range(0, len(lines), -(-len(lines) // places)):
        start = lines.find(b"\n", max(at - 1, end - 1, 0)) + 1 if at else 0
        if start >= end:
            end = lines.find(b"\n", start + wanted // places) + 1 or len(lines)
            yield lines[start:end]


def _longest(lines: bytes) -> int:
    """The longest line, or a bound: among short lines to look for it would take too long."""
    start, longest = 0, _LONG_BYTES
    while len(lines) - start > _LONG_BYTES:
        end = lines.rfind(b"\n", start, start + _LONG_BYTES)
        if end < 0:
            end = lines.find(b"\n", start)
            end = len(lines) if end < 0 else end
            longest = max(longest, end - start)
        start = end + 1
    return longest


def line_tokens(line: bytes) -> float:
    """The estimate for one request line; what is none has as many as a text."""
    read = _read(line)
    return _tokens_of(read.text) + read.around


class _Read(NamedTuple):
    """What the model reads, how many tokens stand around it, and whether it reads more."""

    text: str
    around: int = 0
    more: bool = False


def _read(line: bytes) -> _Read:
    try:
        body = loaded(line)["body"]
        messages, text = body.get("messages"), "\n".join(_texts(body))
        more = reads_more(body) or names_file(text)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return _Read(line.decode(errors="replace"))
    around = len(messages) * _MESSAGE_TOKENS + _ANSWER_START_TOKENS if isinstance(messages, list) else 0
    return _Read(text, around, more)


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
