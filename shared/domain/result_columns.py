"""The result CSV: its header, and one line per row."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from pydantic import JsonValue

from shared.domain.answer_columns import cell_text
from shared.domain.answers import Answer
from shared.domain.csv_writing import LINE_END, MAY_BE_GUARDED, csv_cell, guard_formula

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
        self._cell = _guarded_cell if guard else csv_cell
        self._answer_names = tuple(answer_names)

    def header(self) -> bytes:
        names: Sequence[str] = REQUEST_COLUMNS
        if self._is_table:
            names = [*self._columns, *free_names(self._columns, self._answer_names)]
        return (",".join(map(self._cell, names)) + LINE_END).encode(self._encoding)

    def answer(self, answer: Answer, values: Sequence[JsonValue] = ()) -> bytes:
        text = self._chat_answer(answer) or ",".join(
            [self._any_cell(value) for value in answer_values(answer, self._is_table)]
        )
        if values:
            text = f"{text},{','.join([self._cell(cell_text(value)) for value in values])}"
        elif self._answer_names:
            text += "," * len(self._answer_names)
        return f"{text}{LINE_END}".encode()

    def _chat_answer(self, answer: Answer) -> str | None:
        """The same line as any answer's, written out for those that are most of all; a test holds them together."""
        (
            custom_id, status, content, reasoning, model, finish_reason, prompt, completion, total, request_id, created,
            status_code, usage, error_code, error_message, _,
        ) = answer  # fmt: skip
        if (
            error_code
            or error_message
            or not usage
            or None in (prompt, completion, total, created, status_code)
        ):
            return None
        if not _need_no_quotes(f"{custom_id} {request_id} {model} {finish_reason} "):
            return None
        content, reasoning = self._cell(content), self._cell(reasoning) if reasoning else ""
        if self._is_table:
            return (
                f"{status.value},{content},{reasoning},{model},{finish_reason},{prompt},{completion},{total},"
                f"{request_id},{created},,"
            )
        usage = usage.replace('"', '""')
        return f'{custom_id},{model},{request_id},{status_code},,,{created},{content},"{usage}",{reasoning}'

    def _any_cell(self, value: object) -> str:
        if isinstance(value, str):
            return self._cell(value)
        return "" if value is None else str(value)

    def row(self, cells: Sequence[str], answer: bytes) -> bytes:
        if not self._is_table or not self._columns:
            return answer
        own = cells if len(cells) == len(self._columns) else fit(cells, len(self._columns))
        return b"%b,%b" % (",".join(map(self._cell, own)).encode(), answer)

    def encode(self, rows: Iterable[bytes]) -> bytes:
        content = b"".join(rows)
        return content if self._encoding.startswith("utf-8") else content.decode().encode(self._encoding)


def _guarded_cell(text: str) -> str:
    return csv_cell(guard_formula(text)) if text[:1] in MAY_BE_GUARDED else csv_cell(text)


# Ids and names of which neither CSV nor the guard changes anything, each with a space behind it.
_need_no_quotes = re.compile(r"(?:[A-Za-z0-9][A-Za-z0-9._:/-]* )+").fullmatch


def answer_values(answer: Answer, is_table: bool) -> tuple[object, ...]:
    """What an answer says, in the order of ``TABLE_COLUMNS`` or ``REQUEST_COLUMNS``."""
    if is_table:
        return (
            answer.status.value, answer.content, answer.reasoning_content, answer.model, answer.finish_reason,
            answer.prompt_tokens, answer.completion_tokens, answer.total_tokens, answer.request_id, answer.created,
            answer.error_code, answer.error_message,
        )  # fmt: skip
    return (
        answer.custom_id, answer.model, answer.request_id, answer.status_code, answer.error_code,
        answer.error_message, answer.created, answer.content, answer.usage, answer.reasoning_content,
    )  # fmt: skip


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
