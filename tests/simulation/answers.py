"""What the model answers: JSON, alone or in other text, or none; and which cells that fills."""

from __future__ import annotations

import json
from zlib import crc32

# What some recipes take from the answers to tables.
RECIPE = "columns: {said: said, mark: 'marks[0]', marks: marks}\n"
NAMES = ("said", "mark", "marks")
# The most that a row's answer may have, where that is said.
MAX_TOKENS = 1000
_PROMPT_TOKENS = 8


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


def usage_of(text: str) -> dict[str, int]:
    """What the provider counts of a row; the same in every run."""
    completion = 100 + crc32(text.encode()) % (MAX_TOKENS - 99)
    return {
        "prompt_tokens": _PROMPT_TOKENS,
        "completion_tokens": completion,
        "total_tokens": _PROMPT_TOKENS + completion,
    }
