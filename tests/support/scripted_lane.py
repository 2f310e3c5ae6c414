"""A service for single requests in memory: says what the test tells it to, and remembers whom."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.ports.real_time import Asked, Reply
from tests.support.fake_provider import encoded, error_line, result_line

Say = Callable[[dict[str, Any]], Reply]


def answers(content: str, prompt: int = 10, completion: int = 20, *, reason: str = "stop") -> Say:
    """Every request gets this answer, which ended for that reason."""

    def say(line: dict[str, Any]) -> Reply:
        usage = {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
        }
        said = result_line(line["custom_id"], content=content, reason=reason, usage=usage)
        return Reply(encoded(said), Asked.ANSWERED)

    return say


def refuses(code: str = "InvalidParameter", asked: Asked = Asked.REFUSED) -> Say:
    return lambda line: Reply(encoded(error_line(line["custom_id"], code)), asked)


@dataclass
class ScriptedLane:
    """``RealTime``.

    Attributes:
        say: Answers a request line.
        asked: Every request line, in order, parsed.
        before: Called before a group is answered.
    """

    say: Say
    asked: list[dict[str, Any]] = field(default_factory=list)
    before: Callable[[], object] = lambda: None

    def answers(self, requests: Sequence[bytes], _model: str) -> list[Reply]:
        lines = [json.loads(each) for each in requests]
        self.asked += lines
        self.before()
        return [self.say(line) for line in lines]
