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
        self._sets: dict[str, dict[str, JsonValue]] = {}
        self.are_too_many = self.read_more = False

    def add(self, lines: bytes) -> None:
        if self._are_ours:
            self.read_more |= _FILE.encode() in lines
            return
        for line in lines.rstrip(b"\n").split(b"\n"):
            self._add(_loaded(line)["body"])

    def _add(self, body: Mapping[str, Any]) -> None:
        self.read_more |= reads_more(body)
        counts = {name: body[name] for name in _COUNTS if type(body.get(name)) is int}
        # What is no whole number may be read as one by the service.
        self.are_too_many |= any(body.get(name) is not None for name in _COUNTS if name not in counts)
        modes = {name: body[name] for name in _MODES if name in body}
        key = json.dumps([sorted(counts), modes], sort_keys=True)
        if len(key) > _LONGEST or (key not in self._sets and len(self._sets) >= _MOST):
            self.are_too_many = True
            return
        known = self._sets.setdefault(key, {**modes, **counts})
        known.update({name: max(count, known[name]) for name, count in counts.items()})  # type: ignore[type-var]

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
    return any(
        _kind(each, "text") != "text" or any(_has_other_parts(each.get(name)) for name in ("content", "text"))
        if isinstance(each, dict)
        else _has_other_parts(each)
        for each in said
    )


def names_file(text: str) -> bool:
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
