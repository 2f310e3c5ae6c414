"""What one row of a result says, an answer or the reason for none, and the table of all columns."""

import json
from collections.abc import Mapping
from enum import Enum
from typing import Annotated, Any, NamedTuple


class RowStatus(str, Enum):
    """How a row ended, as it stands in the result CSV."""

    ANSWERED = "answered"
    REFUSED = "refused"
    EXPIRED = "expired"
    MISSING = "missing"
    CANCELLED = "cancelled"


# The parts of a provider's result line that columns are taken from.
RESPONSE, BODY, USAGE, CHOICE, MESSAGE = range(5)
Parts = tuple[Mapping[str, Any], Mapping[str, Any], Mapping[str, Any], Mapping[str, Any], Mapping[str, Any]]


class Column(NamedTuple):
    """Makes a field of ``Answer`` a column of results.

    Attributes:
        table: Its place, from 1, behind a table's own columns; ``None`` if tables do not get it.
        requests: The same for request lines.
        taken: The part of the reply to an answered row, and the key in it, that hold its value.
        is_json: The text is a JSON object, which JSONL embeds.
    """

    table: int | None
    requests: int | None
    taken: tuple[int, str] | None = None
    is_json: bool = False


class Answer(NamedTuple):
    """A row's answer or its reason. Each field is a column: its type, its places, its source.

    To add a column, add a field before ``error_code``, with the next free place of each kind.
    Jobs that have begun keep the columns of their plan. What request lines get are the columns of
    Bailian's documented script, with its error columns filled, and the thinking:
    https://help.aliyun.com/zh/model-studio/batch-interfaces-compatible-with-openai
    """

    custom_id: Annotated[str, Column(None, 1)]
    status: Annotated[RowStatus, Column(1, None)]
    content: Annotated[str, Column(2, 8)] = ""
    reasoning_content: Annotated[str, Column(3, 10, (MESSAGE, "reasoning_content"))] = ""
    model: Annotated[str, Column(4, 2, (BODY, "model"))] = ""
    finish_reason: Annotated[str, Column(5, None, (CHOICE, "finish_reason"))] = ""
    prompt_tokens: Annotated[int | None, Column(6, None, (USAGE, "prompt_tokens"))] = None
    completion_tokens: Annotated[int | None, Column(7, None, (USAGE, "completion_tokens"))] = None
    total_tokens: Annotated[int | None, Column(8, None, (USAGE, "total_tokens"))] = None
    request_id: Annotated[str, Column(9, 3, (RESPONSE, "request_id"))] = ""
    created: Annotated[int | None, Column(10, 7, (BODY, "created"))] = None
    status_code: Annotated[int | None, Column(None, 4, (RESPONSE, "status_code"))] = None
    usage: Annotated[str, Column(None, 9, (BODY, "usage"), is_json=True)] = ""
    error_code: Annotated[str, Column(11, 5)] = ""
    error_message: Annotated[str, Column(12, 6)] = ""
    # Whether sending the row again may help.
    retryable: bool = False

    def to_line(self) -> bytes:
        return json.dumps(self, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> "Answer":
        """Read what ``to_line`` made; columns that are newer than the line are empty."""
        custom_id, status, *values, code, message, retryable = json.loads(line)
        answer = cls(custom_id, RowStatus(status), *values)
        return answer._replace(error_code=code, error_message=message, retryable=retryable)


COLUMNS: Mapping[str, Column] = {
    name: hint.__metadata__[0] for name, hint in Answer.__annotations__.items() if hint is not bool
}
NUMBERS = frozenset(name for name in COLUMNS if Answer.__annotations__[name].__origin__ == (int | None))
TAKEN: Mapping[str, tuple[int, str]] = {
    name: column.taken for name, column in COLUMNS.items() if column.taken
}
