"""Collects what bounds the cost of request lines, while they stream by."""

from __future__ import annotations

import json
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
_FILE = "fileid://"
# No memory is to grow with the lines: values of modes are short, and there are a few.
_MOST, _LONGEST = 1000, 200


class LineParameters:
    """Takes whole lines as they are sent. It reads each, so only a ceiling is worth its time.

    Args:
        are_ours: They are made of a recipe, which says how they are answered. Only what stands in
            the cells of a table may name a file.

    Attributes:
        are_too_many: Not all sets of parameters were kept, or not all can be understood.
        read_more: Some request has the service read more than its text, see ``reads_more``.
    """

    def __init__(self, *, are_ours: bool = False) -> None:
        self._are_ours = are_ours
        self._sets: dict[tuple[str, ...], dict[str, Any]] = {}
        self.are_too_many = self.read_more = False

    def add(self, lines: bytes) -> None:
        if self._are_ours:
            self.read_more |= _FILE.encode() in lines
            return
        for line in lines.rstrip(b"\n").split(b"\n"):
            self._add(_loaded(line)["body"])

    def _add(self, body: Mapping[str, Any]) -> None:
        self.read_more = self.read_more or reads_more(body)
        counts = {name: body[name] for name in _COUNTS if body.get(name) is not None}
        modes = {name: body[name] for name in _MODES if name in body}
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

    def _keep(self, key: tuple[str, ...], said: dict[str, Any]) -> None:
        if len(self._sets) < _MOST and len(key[-1] if key else "") <= _LONGEST:
            self._sets[key] = said
        else:
            self.are_too_many = True

    def __iter__(self) -> Iterator[Mapping[str, JsonValue]]:
        return iter(self._sets.values())


def reads_more(body: Mapping[str, Any]) -> bool:
    """Whether the service reads more for it than texts: images, sounds, films, files, the web.

    How many tokens those have, the request does not say. A file may be named by a text:
    https://help.aliyun.com/zh/model-studio/long-context-qwen-long.
    """
    if any(body.get(name) for name in _SEARCHES):
        return True
    tools = body.get("tools")
    if isinstance(tools, list) and any(_kind(tool, "function") != "function" for tool in tools):
        return True
    return any(_has_other_parts(body.get(name)) for name in ("messages", "input"))


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


def _loaded(line: bytes) -> Any:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:  # half of a surrogate pair, which Python takes
        return json.loads(line)


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
