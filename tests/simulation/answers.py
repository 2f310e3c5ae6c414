"""What the model answers: JSON, alone or in other text, or none; and which cells that fills."""

from __future__ import annotations

import json
from typing import Any
from zlib import crc32

# What some recipes take from the answers to tables.
RECIPE = "columns: {said: said, mark: 'marks[0]', marks: marks}\n"
NAMES = ("said", "mark", "marks")
# The most that a row's answer may have, where that is said.
MAX_TOKENS = 1000
_PROMPT_TOKENS = 8
# Of one row in so many the provider tells no tokens.
_SAYS_NOTHING = 16


def answer_to(text: str) -> str:
    """The only right answer to a row."""
    return _written(text, text)


def other_answer_to(text: str) -> str:
    """What a second line says that contradicts the first."""
    return _written(text, f"or: {text}")


def _written(text: str, said: str) -> str:
    """The same rows get the same form in every run."""
    whole, half, null = (
        json.dumps({"said": said, **more}, ensure_ascii=False)
        for more in ({"marks": [len(text), "两, 1"]}, {}, {"marks": [None]})
    )
    forms = (
        f"re: {said}",
        whole,
        whole,
        f"```json\n{whole}\n```",
        f"Here it is:\n{whole}\nDone.",
        half,
        null,
    )
    return forms[crc32(text.encode()) % len(forms)]


def columns_in(content: str) -> tuple[dict[str, str], str]:
    """The cells that an answer fills, and the code that its row gets."""
    cells = dict.fromkeys(NAMES, "")
    start, end = content.find("{"), content.rfind("}") + 1
    if start < 0:
        return cells, "answer_not_json"
    document = json.loads(content[start:end])
    cells["said"] = document["said"]
    if "marks" not in document:
        return cells, "answer_does_not_fit"
    cells["marks"] = json.dumps(document["marks"], ensure_ascii=False, separators=(",", ":"))
    cells["mark"] = "" if document["marks"][0] is None else str(document["marks"][0])
    return cells, "answer_had_prose" if content.startswith("Here") else ""


def usage_of(text: str) -> dict[str, Any]:
    """What the line of a row says that was counted; the same in every run, and of some nothing."""
    tokens = told_of(text)
    if not tokens:
        return {}
    return {
        **{f"{kind}_tokens": tokens[kind] for kind in ("prompt", "completion", "total")},
        "prompt_tokens_details": {"cached_tokens": tokens["cached"]},
        "completion_tokens_details": {"reasoning_tokens": tokens["thinking"]},
    }


def told_of(text: str) -> dict[str, int]:
    """What is told of it, by the names of our own record."""
    return {} if crc32(text.encode()) % _SAYS_NOTHING == 0 else tokens_of(text)


def tokens_of(text: str) -> dict[str, int]:
    """What the provider counts of a row, and bills."""
    number = crc32(text.encode())
    completion = 100 + number % (MAX_TOKENS - 99)
    return {
        "prompt": _PROMPT_TOKENS,
        "completion": completion,
        "total": _PROMPT_TOKENS + completion,
        "thinking": completion // 2 if number % 3 else 0,
        "cached": number % 2 * _PROMPT_TOKENS // 2,
    }
