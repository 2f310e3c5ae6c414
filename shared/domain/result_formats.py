"""How a job's result is written, as its plan says: chosen once, used for every row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Protocol

from shared.domain.answer_columns import AnswerColumns
from shared.domain.answers import Answer, RowStatus
from shared.domain.messages import render_problem
from shared.domain.records import Plan
from shared.domain.result_columns import ResultRow, ResultTable
from shared.domain.result_jsonl import ResultLines


class Rendering(Protocol):
    """Makes bytes of rows; the parts of all shards, joined after one header, are the result."""

    def header(self) -> bytes: ...

    def lines(self, rows: Iterable[ResultRow]) -> bytes: ...


def rendering_for(plan: Plan) -> Rendering:
    names = AnswerColumns.names_of(plan.answer_columns)
    if plan.part_format == "jsonl":
        return ResultLines(plan.kind, plan.columns, plan.endpoint, names)
    return ResultTable(
        plan.kind, plan.columns, plan.output_encoding, guard=plan.formula_guard, answer_names=names
    )


def result_row(cells: Sequence[str], answer: Answer, columns: AnswerColumns | None) -> ResultRow:
    """The row, with its answer taken apart where the recipe has ``columns``.

    An answer that cannot be is an answer still: its content stays, and its error columns say why.
    """
    if columns is None or answer.status is not RowStatus.ANSWERED:
        return ResultRow(cells, answer)
    values, problem = columns.read(answer.content)
    if problem is not None:
        said = f"{render_problem(problem, 'zh')} / {render_problem(problem, 'en')}"
        answer = replace(answer, error_code=problem.code, error_message=said)
    return ResultRow(cells, answer, values)
