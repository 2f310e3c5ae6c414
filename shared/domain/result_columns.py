"""The result CSV: its header, and one line per row."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from shared.domain.answers import Answer

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


class ResultTable:
    """Renders result rows in the columns and the encoding that the plan asks for.

    Lines end in CRLF and are quoted as RFC 4180 says. A byte order mark, where the encoding has one, belongs to
    the header alone, since parts are joined byte by byte.
    """

    def __init__(self, kind: str, columns: Sequence[str], encoding: str) -> None:
        self._is_table = kind != REQUEST_KIND
        self._columns = tuple(columns)
        self._encoding = encoding

    def header(self) -> bytes:
        names = [*self._columns, *_free_names(self._columns)] if self._is_table else REQUEST_COLUMNS
        return _render([names]).encode(self._encoding)

    def lines(self, rows: Iterable[tuple[Sequence[str], Answer]]) -> bytes:
        encoding = "utf-8" if self._encoding == "utf-8-sig" else self._encoding
        return _render(self._cells(cells, answer) for cells, answer in rows).encode(encoding)

    def _cells(self, cells: Sequence[str], answer: Answer) -> list[object]:
        names = TABLE_COLUMNS if self._is_table else REQUEST_COLUMNS
        values = [answer.status.value if name == "status" else getattr(answer, name) for name in names]
        if not self._is_table:
            return values
        return [*_fit(cells, len(self._columns)), *values]


def _fit(cells: Sequence[str], width: int) -> list[str]:
    """A bad row may be ragged: its answer must stay in its own column, and a surplus cell must not be lost."""
    if len(cells) > width > 0:
        return [*cells[: width - 1], ",".join(cells[width - 1 :])]
    return [*cells, *[""] * (width - len(cells))]


def _free_names(columns: Sequence[str]) -> list[str]:
    """The result columns, renamed ``result_…`` where the table has a column of that name already."""
    taken = set(columns)
    names = []
    for name in TABLE_COLUMNS:
        free = name
        while free in taken:
            free = f"result_{free}"
        names.append(free)
        taken.add(free)
    return names


def _render(rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue()
