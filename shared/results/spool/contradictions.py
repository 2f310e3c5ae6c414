"""Says of an answered row what another line of the provider's files says of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from shared.formats.json.policies import LENIENT
from shared.problems.problem import Problem
from shared.problems.render import render_both
from shared.results.columns import Answer, ResultColumns, RowStatus
from shared.results.formats import Rendering
from shared.results.replies.forms.parts import text
from shared.results.replies.result_lines import UNREADABLE

# What an other line may have that nothing else tells.
_TOLD = ("content", "reasoning_content", "error_code", "error_message", "extra")
_WRITTEN = ("content", "reasoning_content")
_OTHERS = "other_lines"
# Codes of answers that a plain one of their row replaces.
DOUBTFUL = frozenset({"answer_empty", "answer_with_error"})


class Render(Protocol):
    """Makes bytes of answers; the second text is the code of one that is odd.

    Attributes:
        text: As ``Rendering.text``; ``None`` if an answer's text is more than a text.
    """

    text: Callable[[bytes], bytes | None] | None

    def __call__(self, answer: Answer, /) -> tuple[bytes, str]: ...

    def beside(self, rendered: bytes, other: Answer, /) -> tuple[bytes, str] | None:
        """An answer with what another line says of its row; ``None`` if that is the same."""


class Contradictions:
    """Puts what other lines say of a row into the error columns and ``extra`` of its answer."""

    def __init__(self, rendering: Rendering, columns: ResultColumns) -> None:
        self._rendering = rendering
        self._names = columns.names

    def beside(self, rendered: bytes, other: Answer) -> tuple[bytes, str] | None:
        """The answer with the other line beside it, and its code; ``None`` if both say the same."""
        values = self._values(rendered)
        told = _told_by(other)
        problem = _problem(other)
        if other.status is RowStatus.ANSWERED:
            shown = self._values(self._rendering.answer(other))
            if all(shown.get(name) == values.get(name) for name in _WRITTEN):
                return None
        extra = _object(values.get("extra"))
        others = extra.setdefault(_OTHERS, [])
        if told in others:
            return None
        others.append(told)
        return self._amended(rendered, values, extra, problem)

    def _amended(
        self, rendered: bytes, values: dict[str, Any], extra: dict[str, Any], problem: Problem
    ) -> tuple[bytes, str]:
        """An error beside the answer changes no code that it has; another answer does."""
        before = str(values.get("error_code") or "")
        code = before if before and problem.code != "answers_differ" else problem.code
        said = "; ".join(filter(None, (render_both(problem), text(values.get("error_message")))))
        told = {"error_code": code, "error_message": said, "extra": text(extra)}
        return self._rendering.amended(rendered, told), code

    def _values(self, rendered: bytes) -> dict[str, Any]:
        return dict(zip(self._names, self._rendering.read_answer(rendered), strict=False))


def is_better(other: Answer, kept: Answer) -> bool:
    """Whether an answer counts more than what is kept of its row, which is no plain answer."""
    if other.status is not RowStatus.ANSWERED:
        return False
    if kept.status is not RowStatus.ANSWERED:
        return True
    return other.error_code not in DOUBTFUL and holds_more(other, kept)


def holds_more(other: Answer, kept: Answer) -> bool:
    """Whether it holds what was paid for, or may have been, and what is kept does not."""
    written = (other.content, other.reasoning_content)
    is_new = any(written) and written != (kept.content, kept.reasoning_content)
    return is_new or other.error_code == UNREADABLE


def with_other_line(refusal: Answer, other: Answer) -> Answer:
    """The refusal, which keeps what another line of its row says."""
    extra = _object(refusal.extra)
    others, told = extra.setdefault(_OTHERS, []), _told_by(other)
    if told not in others:
        others.append(told)
    return refusal._replace(extra=text(extra))


def _told_by(other: Answer) -> dict[str, Any]:
    return {name: each for name in _TOLD if (each := getattr(other, name))}


def _problem(other: Answer) -> Problem:
    if other.status is RowStatus.ANSWERED:
        return Problem("answers_differ")
    error = ": ".join(filter(None, (other.error_code, other.error_message)))
    return Problem("answer_with_error", values={"error": error})


def _object(extra: Any) -> dict[str, Any]:
    """``extra`` as it was kept: an object in JSONL, its text in CSV, or nothing."""
    found = LENIENT.decode(extra) if isinstance(extra, str) and extra else extra
    return dict(found) if isinstance(found, dict) else {}
