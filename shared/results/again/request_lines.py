"""Writes a request once more, with the answer that does not fit and what is wrong with it."""

from __future__ import annotations

import json
from typing import Any

from shared.bucket.records.plan import Plan
from shared.formats.json.cells import escape_line_ends
from shared.formats.json.compact import compact_json
from shared.formats.visible_text import shortened
from shared.ports.profile import ShardLimits
from shared.problems.problem import Bilingual
from shared.recipes.columns.answers import AnswerColumns
from shared.recipes.tasks.prompts import language_of
from shared.results.columns import TOO_LONG, Answer
from shared.results.lent.answer_reader import AnswerReader
from shared.results.rendering import SettledAnswer

_BOUNDS = ("max_tokens", "max_completion_tokens")
# A check may list everything that is allowed; what is reserved counts on short reasons.
_LONGEST_REASON = 200
_NO_FIT = Bilingual(
    "上面的回答不符合要求：{reason}。请重新回答，只输出符合要求的内容，不要解释。",
    "That answer is not as asked for: {reason}. Answer again, with nothing but what was asked for.",
)
_NO_JSON = Bilingual(
    "上面的回答不是有效的 JSON：{reason}。请重新回答，只输出要求的 JSON，不要解释。",
    "That answer is not valid JSON: {reason}. Answer again, with nothing but the JSON that was asked for.",
)
_CUT = Bilingual(
    "上面的回答还没写完就到了长度上限。请从头重新回答，写完整，尽量简短。",
    "That answer was cut off at the length limit. Answer again from the beginning: whole, and short.",
)
_EMPTY = Bilingual("上次没有给出回答。请一定回答。", "Last time there was no answer. Do answer.")
_REASONS = {"answer_not_json": _NO_JSON, "answer_does_not_fit": _NO_FIT}
ASKING_AGAIN = (_NO_FIT, _NO_JSON, _CUT, _EMPTY)


class AskingAgain:
    """Writes the lines of one attempt of a shard.

    A request grows by an answer. The provider's limits hold all the same: where the answer does not
    fit into them, the reason stands alone, and if that does not either, the request is as it was.

    Args:
        plan: The job.
        limits: Of one batch and its lines.
        size_bytes: Of the shard when all of it was sent.
    """

    def __init__(self, plan: Plan, limits: ShardLimits, size_bytes: int) -> None:
        self._read = AnswerReader(plan)
        self._columns = AnswerColumns(plan.answer_columns) if plan.answer_columns else None
        self._longest = limits.max_line_bytes
        self._room = limits.max_bytes - size_bytes

    def line(self, request: bytes, kept: SettledAnswer) -> bytes:
        """The request, without a line end, with the answer that is kept of its row."""
        document: dict[str, Any] = json.loads(request)
        self._allow_more(document["body"], kept.cuts)
        plain = _encoded(document)
        answer = self._read(kept.custom_id, kept)
        messages = document["body"]["messages"]
        reason = self._reason(answer, _language_in(messages))
        for each in (_with_answer(messages, answer.content, reason), _with_reason(messages, reason)):
            document["body"]["messages"] = each
            line = _encoded(document)
            more = len(line) - len(request)
            if len(line) <= self._longest and more <= self._room:
                self._room -= max(more, 0)
                return line
        return plain

    def _allow_more(self, body: dict[str, Any], cuts: int) -> None:
        """Twice as much for each answer that was cut off."""
        for name in _BOUNDS:
            if cuts and isinstance(body.get(name), int | float):
                body[name] = int(body[name]) << cuts

    def _reason(self, answer: Answer, language: str) -> str:
        said, reason = self._wrong_with(answer)
        text = said.zh if language == "zh" else said.en
        return text.format(reason=shortened(reason, _LONGEST_REASON))

    def _wrong_with(self, answer: Answer) -> tuple[Bilingual, str]:
        if not answer.content.strip():
            return _EMPTY, ""
        if answer.finish_reason.lower() in TOO_LONG or self._columns is None:
            return _CUT, ""
        problem = self._columns.read(answer.content).problem
        if problem is None:
            return _NO_FIT, ""
        return _REASONS.get(problem.code, _NO_FIT), str(problem.values.get("reason", ""))


def _with_answer(messages: list[Any], answer: str, reason: str) -> list[Any]:
    if not answer.strip():  # some services refuse an empty message
        return _with_reason(messages, reason)
    return [*messages, {"role": "assistant", "content": answer}, {"role": "user", "content": reason}]


def _with_reason(messages: list[Any], reason: str) -> list[Any]:
    """Below what was asked: many models want to be asked and to answer by turns."""
    *earlier, last = messages
    return [*earlier, {**last, "content": f"{last['content']}\n\n{reason}"}]


def _language_in(messages: list[Any]) -> str:
    return language_of(str(message.get("content", "")) for message in messages)


def _encoded(document: dict[str, Any]) -> bytes:
    try:
        text = compact_json(document)
        return escape_line_ends(text, text.encode())
    except UnicodeEncodeError:  # half of a surrogate pair
        return json.dumps(document, separators=(",", ":")).encode()
