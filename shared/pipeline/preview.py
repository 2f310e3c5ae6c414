"""Answers a few rows at once, to be looked at before the file is dropped; nothing is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from shared.ports.real_time import RealTime
from shared.problems.render import render_both
from shared.recipes.columns.answers import AnswerColumns, cell_text
from shared.results.columns import Answer, RowStatus
from shared.results.replies.result_lines import parse_result_line


@dataclass(frozen=True)
class PreviewedRow:
    """What one row would get.

    Attributes:
        answer: The whole text; ``""`` if there is none.
        columns: The recipe's, by name, as they would stand in a CSV.
        error: Why there is no answer, or what is odd about it, in both languages where it is ours.
    """

    answer: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    error: str = ""


def preview(
    real_time: RealTime, requests: Sequence[bytes | None], model: str, columns: AnswerColumns | None
) -> list[PreviewedRow]:
    """Ask about each row.

    Args:
        real_time: Of the provider that the recipe names.
        requests: The request lines of at most ``MAX_REQUESTS`` rows; ``None`` for a row that would
            not be sent.
        model: Which the recipe names.
        columns: What the recipe takes from answers.

    Raises:
        ProviderTrouble: Somebody must act before any row is answered.
    """
    asked = [request for request in requests if request is not None]
    replies = iter(real_time.answers(asked, model) if asked else ())
    return [
        PreviewedRow() if request is None else previewed(next(replies).line, columns) for request in requests
    ]


def previewed(line: bytes, columns: AnswerColumns | None) -> PreviewedRow:
    """What a row gets whose reply, as a result line, this is."""
    answer = parse_result_line(line)
    if answer is None:
        raise ValueError("a line that we made is no result line")
    if columns is None or answer.status is not RowStatus.ANSWERED:
        return PreviewedRow(answer.content, {}, _said(answer))
    values, problem = columns.read(answer.content)
    cells = dict(zip(columns.names, map(cell_text, values), strict=True))
    said = "\n".join(filter(None, (render_both(problem) if problem else "", _said(answer))))
    return PreviewedRow(answer.content, cells, said)


def _said(answer: Answer) -> str:
    return answer.error_message or answer.error_code
