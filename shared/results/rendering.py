"""How a job's result is written, as its plan says: chosen once, used for every row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import orjson
from pydantic import JsonValue

from shared.bucket.records import Plan
from shared.problems.render import render_problem
from shared.recipes.columns.answers import AnswerColumns
from shared.results.columns import Answer, ResultColumns, RowStatus
from shared.results.csv_result import ResultTable
from shared.results.jsonl_result import ResultLines


class Rendering(Protocol):
    """Makes bytes of rows; the parts of all shards, joined after one header, are the result.

    What comes of the answer is rendered by itself, once, as soon as it is read, and put behind the row's own cells
    when their turn comes: results arrive in no order, and most of their bytes need never be looked at again.
    """

    def header(self) -> bytes: ...

    def answer(self, answer: Answer, values: Sequence[JsonValue] = ()) -> bytes:
        """The end of a line: the columns of the answer and, where the recipe has ``columns``, its values; in UTF-8."""

    def row(self, cells: Sequence[str], answer: bytes) -> bytes:
        """One whole line, in UTF-8."""

    def encode(self, rows: bytes) -> bytes:
        """Whole lines in the encoding of the result."""


class SettledAnswer(NamedTuple):
    """What one row gets, rendered. ``unread`` is why an answer could not be taken apart, if so."""

    custom_id: str
    status: str
    unread: str
    rendered: bytes

    def to_line(self) -> bytes:
        return orjson.dumps([self.custom_id, self.status, self.unread, self.rendered.decode()]) + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> SettledAnswer:
        custom_id, status, unread, rendered = orjson.loads(line)
        return cls(custom_id, status, unread, rendered.encode())


def rendering_for(plan: Plan) -> Rendering:
    result = ResultColumns(plan.kind, plan.result_columns)
    names = AnswerColumns.names_of(plan.answer_columns)
    if plan.part_format == "jsonl":
        return ResultLines(result, plan.columns, plan.endpoint, names)
    return ResultTable(
        result, plan.columns, plan.output_encoding, guard=plan.formula_guard, answer_names=names
    )


class AnswerRenderer:
    """Renders answers for one job, taken apart where its recipe has ``columns``."""

    def __init__(self, plan: Plan) -> None:
        self.rendering = rendering_for(plan)
        self._columns = AnswerColumns(plan.answer_columns) if plan.answer_columns else None

    def __call__(self, answer: Answer) -> tuple[bytes, str]:
        """The answer as it stands in the result, and why it could not be taken apart, if so."""
        if self._columns is None or answer.status is not RowStatus.ANSWERED:
            return self.rendering.answer(answer), ""
        values, problem = self._columns.read(answer.content)
        if problem is None:
            return self.rendering.answer(answer, values), ""
        # An answer that cannot be taken apart is an answer still: its content stays, its error columns say why.
        said = f"{render_problem(problem, 'zh')} / {render_problem(problem, 'en')}"
        told = answer._replace(error_code=problem.code, error_message=said)
        return self.rendering.answer(told, values), problem.code

    def settled(self, answer: Answer) -> SettledAnswer:
        content, unread = self(answer)
        return SettledAnswer(answer.custom_id, answer.status.value, unread, content)
