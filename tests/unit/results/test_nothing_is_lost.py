"""Whatever a reply holds is in its row; quick readers answer no line that they half know."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

import pytest

from shared.results.replies import quick
from shared.results.replies.careful import read_carefully
from shared.results.replies.result_lines import parse_result_line

SEEDS = range(12)
LINES = 150
NOTHING = (None, "", [], {})


class Replies:
    """Result lines with choices, nulls and keys that no reader knows, each value one of a kind."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._marks = 0
        self.marks: list[str] = []

    def line(self) -> bytes:
        self.marks.clear()
        body = self._embedding() if self._random.random() < 0.3 else self._chat()
        response = {"status_code": 200, "request_id": self._text(), "body": body, **self._more()}
        line = {"id": "x", "custom_id": self._text(), "response": response, "error": None, **self._more()}
        text = json.dumps(line, ensure_ascii=self._is(0.5))
        return text.encode()

    def _is(self, likelihood: float) -> bool:
        return self._random.random() < likelihood

    def _text(self) -> str:
        self._marks += 1
        self.marks.append(f"mark{self._marks}答")
        return self.marks[-1]

    def _maybe(self, likelihood: float = 0.8) -> Any:
        return self._text() if self._is(likelihood) else self._random.choice(NOTHING)

    def _more(self) -> dict[str, Any]:
        """Sometimes keys that nobody knows, of which some say nothing."""
        if self._is(0.85):
            return {}
        keys = self._random.sample(["logprobs", "note", "stop_reason", "usage_details", "audio", "x"], 2)
        values: list[Any] = [
            self._random.choice([*NOTHING, {"a": [self._text()]}, self._text()]) for _ in keys
        ]
        return dict(zip(keys, values, strict=True))

    def _usage(self) -> dict[str, Any]:
        usage: dict[str, Any] = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
        if self._is(0.2):
            usage["details"] = {"cached": self._random.choice([1, None, 0.5, self._text()])}
        return usage

    def _chat(self) -> dict[str, Any]:
        choices = [self._choice(index) for index in range(1 if self._is(0.7) else self._random.randint(2, 4))]
        self._random.shuffle(choices)
        return {
            "created": 1,
            "model": self._text(),
            "usage": self._usage(),
            "choices": choices,
            **self._more(),
        }

    def _choice(self, index: int) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": self._content(), **self._more()}
        for key in ("reasoning_content", "reasoning", "tool_calls", "function_call", "refusal"):
            if self._is(0.2):
                message[key] = self._maybe(0.6)
        reason = self._random.choice(["stop", "stop", "stop", "length", None, self._text()])
        return {"index": index, "finish_reason": reason, "message": message, **self._more()}

    def _content(self) -> Any:
        if self._is(0.7):
            return self._text()
        block = {"type": self._random.choice(["text", "thinking", "image", None]), "text": self._text()}
        return self._random.choice([None, "", [block], [block, {"type": "text", "text": self._text()}]])

    def _embedding(self) -> dict[str, Any]:
        count = 1 if self._is(0.8) else 3
        data = [{"index": at, "embedding": [0.5, at], **self._more()} for at in range(count)]
        self._random.shuffle(data)
        return {"data": data, "model": self._text(), "usage": self._usage(), **self._more()}


def written(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, each in value.items():
            yield str(key)
            yield from written(each)
    elif isinstance(value, list):
        for each in value:
            yield from written(each)
    elif isinstance(value, str):
        yield value


@pytest.mark.parametrize("seed", SEEDS)
def test_quick_and_careful_reading_say_the_same(seed: int) -> None:
    replies, quickly = Replies(seed), 0

    for _ in range(LINES):
        line = replies.line()
        document = json.loads(line)
        is_chat = "choices" in document["response"]["body"]
        try:
            answer = quick.chat_answer(document) if is_chat else quick.vector_answer(line, document)
        except (ValueError, AttributeError, TypeError):
            answer = None
        quickly += answer is not None
        assert parse_result_line(line) == read_carefully(line), line.decode()

    assert LINES // 10 < quickly < LINES


@pytest.mark.parametrize("seed", SEEDS)
def test_every_text_of_a_reply_is_in_its_row(seed: int) -> None:
    replies = Replies(seed)

    for _ in range(LINES):
        line = replies.line()
        answer = parse_result_line(line)
        there = set(written(json.loads(line)))
        assert answer is not None
        row = "\n".join(map(str, answer))
        assert [mark for mark in replies.marks if mark in there and mark not in row] == [], line.decode()
