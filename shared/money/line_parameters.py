"""Collects what request lines say beside their messages, each different set of parameters once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping

from pydantic import JsonValue

from shared.ports.output_bound import OutputBound

# What a request is about, and who answers it: neither bounds the answer.
_NO_PARAMETERS = frozenset({"model", "messages", "input", "tools"})
# Lines that differ in more ways are each of their own kind, and no memory is to grow with them.
_MOST = 1000


class LineParameters:
    """Takes whole lines as they are sent. It reads each, so only a ceiling is worth its time.

    Attributes:
        are_too_many: Not all sets of parameters were kept.
    """

    def __init__(self) -> None:
        self._sets: dict[str, Mapping[str, JsonValue]] = {}
        self.are_too_many = False

    def add(self, lines: bytes) -> None:
        if self.are_too_many:
            return
        for line in lines.rstrip(b"\n").split(b"\n"):
            said = {
                name: value for name, value in json.loads(line)["body"].items() if name not in _NO_PARAMETERS
            }
            self._sets.setdefault(json.dumps(said, sort_keys=True), said)
        self.are_too_many = len(self._sets) > _MOST

    def __iter__(self) -> Iterator[Mapping[str, JsonValue]]:
        return iter(self._sets.values())


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
