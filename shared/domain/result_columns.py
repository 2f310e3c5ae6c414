"""The result CSV: its header, and one line per row."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from pydantic import JsonValue

from shared.domain.answer_columns import cell_text
from shared.domain.answers import Answer
from shared.domain.formulas import guard_formula

# What a table gets beside its own columns.
TABLE_COLUMNS = (
    "status", "content", "reasoning_content", "model", "finish_reason", "prompt_tokens", "completion_tokens",
    "total_tokens", "request_id", "created", "error_code", "error_message",
)  # fmt: skip
# The columns of Bailian's documented script for raw request lines, with its error columns filled, and the thinking:
# https://help.aliyun.com/zh/model-studio/batch-interfaces-compatible-with-openai
REQUEST_COLUMNS = (
    "custom_id", "model", "request_id", "status_code", "error_code", "error_message", "created", "content", "usage",
    "reasoning_content",
)  # fmt: skip
REQUEST_KIND = "request_jsonl"


class ResultRow(NamedTuple):
    """One row of the result: the file's own cells, the answer, and the answer's values where ``columns`` ask for them."""

    cells: Sequence[str]
    answer: Answer
    values: Sequence[JsonValue] = ()


class ResultTable:
    """Renders result rows in the columns and the encoding that the plan asks for.

    Lines end in CRLF and are quoted as RFC 4180 says. A byte order mark, where the encoding has one, belongs to
    the header alone, since parts are joined byte by byte.
    """

    def __init__(
        self,
        kind: str,
        columns: Sequence[str],
        encoding: str,
        *,
        guard: bool,
        answer_names: Sequence[str] = (),
    ) -> None:
        self._is_table = kind != REQUEST_KIND
        self._columns = tuple(columns)
        self._encoding = encoding
        self._guard = guard
        self._answer_names = tuple(answer_names)

    def header(self) -> bytes:
        names: Sequence[str] = REQUEST_COLUMNS
        if self._is_table:
            names = [*self._columns, *free_names(self._columns, self._answer_names)]
        return self._render([names]).encode(self._encoding)

    def lines(self, rows: Iterable[ResultRow]) -> bytes:
        encoding = "utf-8" if self._encoding == "utf-8-sig" else self._encoding
        return self._render(map(self._cells, rows)).encode(encoding)

    def _cells(self, row: ResultRow) -> list[object]:
        values = answer_values(row.answer, self._is_table)
        if not self._is_table:
            return values
        empty = [""] * (len(self._answer_names) - len(row.values))
        return [*fit(row.cells, len(self._columns)), *values, *map(cell_text, row.values), *empty]

    def _render(self, rows: Iterable[Sequence[object]]) -> str:
        if self._guard:
            rows = ([guard_formula(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
        text = io.StringIO()
        csv.writer(text, lineterminator="\r\n").writerows(rows)
        return text.getvalue()


def answer_values(answer: Answer, is_table: bool) -> list[object]:
    """What an answer says, in the order of ``TABLE_COLUMNS`` or ``REQUEST_COLUMNS``."""
    names = TABLE_COLUMNS if is_table else REQUEST_COLUMNS
    return [answer.status.value if name == "status" else getattr(answer, name) for name in names]


def fit(cells: Sequence[str], width: int) -> list[str]:
    """A bad row may be ragged: its answer must stay in its own column, and a surplus cell must not be lost."""
    if len(cells) > width > 0:
        return [*cells[: width - 1], ",".join(cells[width - 1 :])]
    return [*cells, *[""] * (width - len(cells))]


def free_names(columns: Sequence[str], answer_names: Sequence[str] = ()) -> list[str]:
    """The result columns and those of the answers, renamed ``result_…`` where there is a column of that name already."""
    taken = set(columns)
    names = []
    for name in (*TABLE_COLUMNS, *answer_names):
        free = name
        while free in taken:
            free = f"result_{free}"
        names.append(free)
        taken.add(free)
    return names
