"""The result CSV: its header, and one line per row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from pydantic import JsonValue

from shared.domain.answer_columns import cell_text
from shared.domain.answers import Answer
from shared.domain.csv_writing import LINE_END, csv_cell
from shared.domain.formulas import MAY_BE_GUARDED, guard_formula

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
        # Of models, statuses and the like there are few.
        self._short_cell = lru_cache(maxsize=256)(self._cell)
        self._answer_names = tuple(answer_names)
        self._no_values = "," * len(self._answer_names)

    def header(self) -> bytes:
        names: Sequence[str] = REQUEST_COLUMNS
        if self._is_table:
            names = [*self._columns, *free_names(self._columns, self._answer_names)]
        return (",".join(map(self._cell, names)) + LINE_END).encode(self._encoding)

    def answer(self, answer: Answer, values: Sequence[JsonValue] = ()) -> bytes:
        # Written out, since this is where most of the time goes; a test holds it against ``answer_values``.
        cell, short = self._cell, self._short_cell
        (
            custom_id, status, content, reasoning, model, finish_reason, prompt, completion, total, request_id, created,
            status_code, usage, error_code, error_message, _,
        ) = answer  # fmt: skip
        content, reasoning = cell(content), cell(reasoning) if reasoning else ""
        reason = f"{cell(error_code)},{cell(error_message)}" if error_code or error_message else ","
        if not self._is_table:
            return (
                f"{cell(custom_id)},{short(model)},{cell(request_id)},{_number(status_code)},{reason},"
                f"{_number(created)},{content},{cell(usage)},{reasoning}"
            ).encode()
        text = (
            f"{status.value},{content},{reasoning},{short(model)},{short(finish_reason)},{_number(prompt)},"
            f"{_number(completion)},{_number(total)},{cell(request_id)},{_number(created)},{reason}"
        )
        if values:
            return f"{text},{','.join([cell(cell_text(value)) for value in values])}".encode()
        return (text + self._no_values).encode()

    def row(self, cells: Sequence[str], answer: bytes) -> bytes:
        if not self._is_table or not self._columns:
            return answer + b"\r\n"
        own = cells if len(cells) == len(self._columns) else fit(cells, len(self._columns))
        return b"%b,%b\r\n" % (",".join(map(self._cell, own)).encode(), answer)

    def encode(self, rows: Iterable[bytes]) -> bytes:
        content = b"".join(rows)
        return content if self._encoding.startswith("utf-8") else content.decode().encode(self._encoding)


def _guarded_cell(text: str) -> str:
    return csv_cell(guard_formula(text)) if text[:1] in MAY_BE_GUARDED else csv_cell(text)


def _number(value: int | None) -> int | str:
    return "" if value is None else value


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
