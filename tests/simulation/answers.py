"""What the model answers: JSON, alone or in other text, or none; and which cells that fills."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple
from zlib import crc32

# What some recipes take from the answers to tables.
RECIPE = "columns: {said: said, mark: 'marks[0]', marks: marks}\n"
NAMES = ("said", "mark", "marks")
# The most that a row's answer may have, where that is said.
MAX_TOKENS = 1000
_PROMPT_TOKENS = 8
# Of one answer in so many only half is there, where any is cut off.
_CUT_OFF = 3
_MISFITS = frozenset({"answer_not_json", "answer_does_not_fit"})
# Of one row in so many the provider tells no tokens.
_SAYS_NOTHING = 16


class Ask(NamedTuple):
    """One request.

    Attributes:
        text: What its row asks about.
        kept: The answer that did not fit, if the row is asked again.
        most: The most tokens that its answer may have.
    """

    text: str
    kept: str = ""
    most: int = MAX_TOKENS

    @classmethod
    def of(cls, line: Mapping[str, Any]) -> Ask:
        body = line["body"]
        first, *more = [each["content"] for each in body["messages"]]
        return cls(first, more[0] if more else "", body.get("max_tokens", MAX_TOKENS))

    @property
    def said(self) -> str:
        """What decides all about its answer."""
        return f"{self.text}{self.kept}{self.most}" if self.kept else self.text


def reply_to(ask: Ask, *, may_be_cut: bool, has_columns: bool = False) -> tuple[str, str]:
    """What the model writes, and why it ends; the same in every run.

    With columns, only what would come behind the object is cut off.
    """
    written = _written(ask.said, f"again: {ask.text}") if ask.kept else answer_to(ask.text)
    if may_be_cut and crc32(ask.said.encode()) % _CUT_OFF == 0:
        return written if has_columns else written[: len(written) // 2 + 1], "length"
    return written, "stop"


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


def is_misfit(content: str, reason: str, *, has_columns: bool) -> bool:
    """Whether its row is asked again, if any is."""
    return reason == "length" or (has_columns and columns_in(content)[1] in _MISFITS)


def usage_of(ask: Ask) -> dict[str, Any]:
    """What the line of a row says that was counted; the same in every run, and of some nothing."""
    tokens = told_of(ask)
    if not tokens:
        return {}
    return {
        **{f"{kind}_tokens": tokens[kind] for kind in ("prompt", "completion", "total")},
        "prompt_tokens_details": {"cached_tokens": tokens["cached"]},
        "completion_tokens_details": {"reasoning_tokens": tokens["thinking"]},
    }


def told_of(ask: Ask) -> dict[str, int]:
    """What is told of it, by the names of our own record."""
    return {} if crc32(ask.said.encode()) % _SAYS_NOTHING == 0 else tokens_of(ask)


def tokens_of(ask: Ask) -> dict[str, int]:
    """What the provider counts of a row, and bills."""
    number = crc32(ask.said.encode())
    completion = 100 + number % (ask.most - 99)
    prompt = _PROMPT_TOKENS + (_PROMPT_TOKENS + len(ask.kept)) * bool(ask.kept)
    return {
        "prompt": prompt,
        "completion": completion,
        "total": prompt + completion,
        "thinking": completion // 2 if number % 3 else 0,
        "cached": number % 2 * _PROMPT_TOKENS // 2,
    }
