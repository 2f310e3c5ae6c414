"""The columns of a result: the table of all that there are, and which of them a job has.

To add a column, add a field to ``Answer``, before ``error_code``. Its annotation says its type, its
place in a table and among request lines (the next free ones), and the part of the provider's reply
that holds its value. All result formats follow from that. List it in ``README.md``, too. Jobs that
have begun keep the columns of their plan.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from operator import itemgetter
from typing import Annotated, Any, NamedTuple

from shared.formats.json.compact import compact_json

REQUEST_KIND = "request_jsonl"


class RowStatus(str, Enum):
    """How a row ended, as it stands in the result CSV."""

    ANSWERED = "answered"
    REFUSED = "refused"
    EXPIRED = "expired"
    MISSING = "missing"
    CANCELLED = "cancelled"


# What the error code of an answered request line may be. They have no status, so no refusal has it.
CODES_OF_ANSWERS = frozenset({
    "", "model_refused", "answer_empty", "answer_in_other_form", "answer_with_error", "answers_differ",
})  # fmt: skip

# Why an answer ended, if it is whole; any other reason is counted.
WHOLE_REASONS = frozenset({"", "stop", "tool_calls", "function_call"})
# Of the others, in small letters, those of which it is known what they mean. Gateways to other
# models pass on the words of those.
TOO_LONG = frozenset({"length", "max_tokens"})
FILTERED = frozenset({"content_filter", "sensitive", "safety", "prohibited_content", "recitation"})


def cut_off(finish_reason: str) -> str:
    """The reason, if the answer is not whole."""
    return "" if finish_reason in WHOLE_REASONS else finish_reason


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
        is_usual: All new jobs have it.
    """

    table: int | None
    requests: int | None
    taken: tuple[int, str] | None = None
    is_json: bool = False
    is_usual: bool = True


class Answer(NamedTuple):
    """What one row of a result says: an answer, or the reason for none. Each field is a column.

    Request lines get the columns of Bailian's documented script, with its error columns filled, and
    then ours: https://help.aliyun.com/zh/model-studio/batch-interfaces-compatible-with-openai
    """

    custom_id: Annotated[str, Column(None, 1)]
    status: Annotated[RowStatus, Column(1, None)]
    content: Annotated[str, Column(2, 8)] = ""
    reasoning_content: Annotated[str, Column(3, 10, (MESSAGE, "reasoning_content"))] = ""
    model: Annotated[str, Column(4, 2, (BODY, "model"))] = ""
    finish_reason: Annotated[str, Column(5, 11, (CHOICE, "finish_reason"))] = ""
    prompt_tokens: Annotated[int | None, Column(6, None, (USAGE, "prompt_tokens"))] = None
    completion_tokens: Annotated[int | None, Column(7, None, (USAGE, "completion_tokens"))] = None
    total_tokens: Annotated[int | None, Column(8, None, (USAGE, "total_tokens"))] = None
    request_id: Annotated[str, Column(9, 3, (RESPONSE, "request_id"))] = ""
    created: Annotated[int | None, Column(10, 7, (BODY, "created"))] = None
    status_code: Annotated[int | None, Column(None, 4, (RESPONSE, "status_code"))] = None
    usage: Annotated[str, Column(None, 9, (BODY, "usage"), is_json=True)] = ""
    # What came back and has no other column.
    extra: Annotated[str, Column(13, 12, is_json=True)] = ""
    # At which try it was given, where answers that do not fit are asked again.
    attempt: Annotated[int | None, Column(14, None, is_usual=False)] = None
    # How often the row was asked, then; more than that if no later answer was better.
    attempts: Annotated[int | None, Column(15, None, is_usual=False)] = None
    error_code: Annotated[str, Column(11, 5)] = ""
    error_message: Annotated[str, Column(12, 6)] = ""
    # Whether sending the row again may help.
    retryable: bool = False

    def to_line(self) -> bytes:
        return compact_json(self).encode() + b"\n"

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


def _in_order(place_of: Callable[[Column], int | None]) -> tuple[str, ...]:
    usual = {name: column for name, column in COLUMNS.items() if column.is_usual}
    places = {name: place for name, column in usual.items() if (place := place_of(column)) is not None}
    return tuple(sorted(places, key=places.__getitem__))


ATTEMPT, ATTEMPTS = "attempt", "attempts"
# What a table gets behind its own columns, and what request lines get.
TABLE_COLUMNS = _in_order(lambda column: column.table)
REQUEST_COLUMNS = _in_order(lambda column: column.requests)

# Plans of an older version name no columns. They mean the first of each kind: then there were no
# others.
_TABLE_COLUMNS_OF_OLD_PLANS = 12
_REQUEST_COLUMNS_OF_OLD_PLANS = 10


def columns_of(kind: str, *, asks_again: bool = False) -> tuple[str, ...]:
    """The result columns that a new job of this kind gets; two more if it asks tables again."""
    if kind == REQUEST_KIND:
        return REQUEST_COLUMNS
    return (*TABLE_COLUMNS, ATTEMPT, ATTEMPTS) if asks_again else TABLE_COLUMNS


class ResultColumns:
    """The result columns of one job, fixed by its plan for its life: all parts must have the same.

    Attributes:
        names: As the plan has them.
        values: Takes their values from an answer. After a roll-back, a column that only the newer
            version knows is an empty text.
    """

    def __init__(self, kind: str, planned: Sequence[str] = ()) -> None:
        self.is_table = kind != REQUEST_KIND
        if not planned:
            old = _TABLE_COLUMNS_OF_OLD_PLANS if self.is_table else _REQUEST_COLUMNS_OF_OLD_PLANS
            planned = columns_of(kind)[:old]
        self.names = tuple(planned)
        known = {name: index for index, name in enumerate(Answer._fields) if name in COLUMNS}
        self._at = [known.get(name) for name in self.names]
        is_simple = None not in self._at and len(self._at) > 1
        self.values: Callable[[Answer], Sequence[str | int | None]] = (
            itemgetter(*self._at) if is_simple else self._values
        )

    def _values(self, answer: Answer) -> Sequence[str | int | None]:
        return ["" if index is None else answer[index] for index in self._at]

    def numbers(self) -> frozenset[int]:
        """Where the counts and times are."""
        return frozenset(index for index, name in enumerate(self.names) if name in NUMBERS)

    def json(self) -> frozenset[int]:
        """Where JSON is kept as text."""
        return frozenset(
            index for index, name in enumerate(self.names) if name in COLUMNS and COLUMNS[name].is_json
        )


def fit(cells: Sequence[Any], width: int) -> list[Any]:
    """Make a ragged bad row as wide as the header; cells too many are kept in the last one."""
    if len(cells) > width > 0:
        return [*cells[: width - 1], ",".join(cells[width - 1 :])]
    return [*cells, *[""] * (width - len(cells))]


def free_names(columns: Sequence[str], more: Sequence[str]) -> list[str]:
    """What a table gets, by name: ``result_…`` where the table has that name already."""
    taken = set(columns)
    names = []
    for name in more:
        free = name
        while free in taken:
            free = f"result_{free}"
        names.append(free)
        taken.add(free)
    return names
