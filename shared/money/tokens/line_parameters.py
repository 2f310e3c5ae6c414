"""Collects what bounds the cost of request lines, while they stream by."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson
from pydantic import JsonValue

from shared.ports.output_bound import OutputBound

# Of requests that differ in these alone, the largest number bounds all.
_COUNTS = ("max_tokens", "max_completion_tokens", "n", "thinking_budget")
_MODES = ("enable_thinking", "thinking", "reasoning_effort")
# What makes the service read more than the request holds.
_SEARCHES = ("enable_search", "search_options", "web_search_options", "plugins")
PARAMETERS = frozenset((*_COUNTS, *_MODES))
MORE = frozenset((*_SEARCHES, "tools"))
_FILE = "fileid://"
_FILE_START = b"fileid:"
# JSON may write any character of it as an escape, and a slash also behind a backslash.
_ESCAPED = re.compile(rb"\\u00(?:2[fF]|3[aA]|6[4-69cC])")
# No memory is to grow with the lines: values of modes are short, and there are a few.
_MOST, _LONGEST = 1000, 200
# orjson takes sixteen times a line's memory.
_QUICK_BYTES = 256 * 1024


class LineParameters:
    """What request lines say besides texts; only a ceiling is worth its time.

    Args:
        are_ours: They are made of a recipe, which says how they are answered. Only what stands in
            the cells of a table may name a file.

    Attributes:
        are_too_many: Not all sets of parameters were kept, or not all can be understood.
        read_more: Some request has the service read more than its text, see ``reads_more``.
        shape: Of the last line that had one: another of it has nothing to add.
    """

    def __init__(self, *, are_ours: bool = False) -> None:
        self._are_ours = are_ours
        self._sets: dict[tuple[str, ...], dict[str, Any]] = {}
        self._last: dict[tuple[str, ...], dict[str, Any]] = {}  # of each order of names
        self.shape: object = None
        self.are_too_many = self.read_more = False

    def add_line(self, line: bytes, shape: object, said: Mapping[str, Any] | None = None) -> None:
        """Take what one line says.

        Args:
            line: As it is sent.
            shape: Lines of the same one say the same but for an id and a text; ``None`` if unknown.
            said: What it says of ``PARAMETERS`` if it is known to have the service read no more
                than texts.
        """
        if self._are_ours or (shape is not None and shape is self.shape):
            return
        self.shape = shape or self.shape
        if said is None:
            body = loaded(line)["body"]
            self.read_more = self.read_more or reads_more(body)
            said = {name: body[name] for name in body if name in PARAMETERS}
        known = self._last.get(tuple(said))
        if known is None or not _is_within(said, known):
            self._add(said)

    def look(self, lines: bytes) -> None:
        """Look into the texts of whole lines, all of them."""
        if self.read_more:
            return
        if self._are_ours:
            self.read_more = _FILE.encode() in lines
        elif _may_name_file(lines):
            self.read_more = any(map(_names_file, lines.rstrip(b"\n").split(b"\n")))

    def _add(self, said: Mapping[str, Any]) -> None:
        counts = {name: said[name] for name in _COUNTS if said.get(name) is not None}
        modes = {name: said[name] for name in _MODES if name in said}
        # What is no whole number may be read as one by the service.
        if any(type(count) is not int for count in counts.values()):
            self.are_too_many = True
            return
        key = (*counts, json.dumps(modes, sort_keys=True)) if modes else tuple(counts)
        known = self._sets.get(key)
        if known is None:
            self._keep(key, {**modes, **counts})
            return
        for name, count in counts.items():
            known[name] = max(known[name], count)
        if len(known) == len(said) and len(self._last) < _MOST:
            self._last[tuple(said)] = known

    def _keep(self, key: tuple[str, ...], said: dict[str, Any]) -> None:
        if len(self._sets) < _MOST and len(key[-1] if key else "") <= _LONGEST:
            self._sets[key] = said
        else:
            self.are_too_many = True

    def __iter__(self) -> Iterator[Mapping[str, JsonValue]]:
        return iter(self._sets.values())


def _is_within(said: Mapping[str, Any], known: Mapping[str, Any]) -> bool:
    """Whether it has nothing to add to a known set of the same names."""
    for name, value in said.items():
        most = known[name]
        if value is most:
            continue
        if type(value) is not type(most) or (value != most and (name in _MODES or value > most)):
            return False
    return True


def reads_more(body: Mapping[str, Any]) -> bool:
    """Whether the service reads more for it than texts: images, sounds, films, files, the web.

    How many tokens those have, the request does not say. A file may be named by a text:
    https://help.aliyun.com/zh/model-studio/long-context-qwen-long.
    """
    if not MORE.isdisjoint(body) and _searches_or_uses(body):
        return True
    return _has_other_parts(body.get("messages", "")) or _has_other_parts(body.get("input", ""))


def _searches_or_uses(body: Mapping[str, Any]) -> bool:
    if any(body.get(name) for name in _SEARCHES):
        return True
    tools = body.get("tools")
    return isinstance(tools, list) and any(_kind(tool, "function") != "function" for tool in tools)


def _has_other_parts(said: Any) -> bool:
    """Of a text, or a list of messages, texts or parts."""
    if isinstance(said, str):
        return names_file(said)
    if not isinstance(said, list):
        return isinstance(said, dict)
    return any(map(_is_other_part, said))


def _is_other_part(part: Any) -> bool:
    if not isinstance(part, dict):
        return _has_other_parts(part)
    is_text = part.get("type", "text") == "text"
    return not is_text or _has_other_parts(part.get("content")) or _has_other_parts(part.get("text"))


def names_file(text: str) -> bool:
    """Which the service then reads."""
    return _FILE in text


def loaded(line: bytes) -> Any:
    """What the line says, whatever that is.

    Raises:
        ValueError: It is no JSON.
    """
    if len(line) <= _QUICK_BYTES:
        try:
            return orjson.loads(line)
        except orjson.JSONDecodeError:  # half of a surrogate pair, which Python takes
            pass
    return json.loads(line)


def _may_name_file(lines: bytes) -> bool:
    if b"\\" not in lines:  # found in a tenth of the others' time
        return _FILE.encode() in lines
    return _FILE_START in lines or _ESCAPED.search(lines) is not None


def _names_file(line: bytes) -> bool:
    if not _may_name_file(line):
        return False
    body = loaded(line)["body"]
    return _has_other_parts(body.get("messages", "")) or _has_other_parts(body.get("input", ""))


def _kind(part: Any, usual: str) -> object:
    return part.get("type", usual) if isinstance(part, dict) else usual


def widest(bounds: Iterable[OutputBound]) -> OutputBound:
    """What bounds any request of which one of these bounds is the bound."""
    each = [*bounds]
    answers = [bound.answer for bound in each if bound.answer is not None]
    thinking = [bound.thinking for bound in each if bound.thinking is not None]
    return OutputBound(
        max(answers, default=0) if len(answers) == len(each) else None,
        max(thinking, default=0) if len(thinking) == len(each) else None,
        tuple(dict.fromkeys(line for bound in each for line in bound.write)),
    )
