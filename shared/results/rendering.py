"""Answers as they stand in the result: rendered once, and found again in a finished part."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

import orjson

from shared.bucket.records.plan import Plan
from shared.ports.profile import EMBEDDINGS
from shared.problems.render import render_both
from shared.recipes.columns.answers import AnswerColumns
from shared.results.columns import ATTEMPT, CODES_OF_ANSWERS, Answer, ResultColumns, RowStatus, cut_off
from shared.results.formats import rendering_for
from shared.results.kept_rows import OriginalRow, PartUnreadable
from shared.results.spool.contradictions import Contradictions

_ANSWERED = RowStatus.ANSWERED.value
# Codes of answers whose content may be what was asked for.
_PLAIN = frozenset({"", "answer_in_other_form", "answer_with_error"})


class SettledAnswer(NamedTuple):
    """What one row gets, rendered.

    Attributes:
        unread: The code of an answer that is odd, or no plain JSON that fits the columns.
        cut_off: The finish reason of an answer that is not whole. It is counted where it is settled
            first, so it is in no line.
        fitted: At which try the answer came, where answers that do not fit are asked again; 0 if
            this one does not fit, or if none is.
        misfits: How many answers the row has, of which this is the best, if it is asked again; 0 if
            it is settled.
        cuts: How many of those were cut off, so that the next one may be longer.
    """

    custom_id: str
    status: str
    unread: str
    rendered: bytes
    cut_off: str = ""
    fitted: int = 0
    misfits: int = 0
    cuts: int = 0

    def to_line(self) -> bytes:
        fields: list[object] = [self.custom_id, self.status, self.unread, self.rendered.decode()]
        if self.fitted or self.misfits:
            fields += self[_CUT_OFF + 1 :]
        return orjson.dumps(fields) + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> SettledAnswer:
        custom_id, status, unread, rendered, *tries = orjson.loads(line)
        if len(tries) not in (0, len(cls._fields) - _CUT_OFF - 1):
            raise ValueError("a line of another kind")
        return cls(custom_id, status, unread, rendered.encode(), "", *tries)


_CUT_OFF = SettledAnswer._fields.index("cut_off")


class AnswerRenderer:
    """Renders answers for one job, and reads its recipe's ``columns`` from them.

    Args:
        plan: The job.
        attempt: The how many-th try it is, for jobs whose results tell that.
        later: The ids of rows for which it is the next one: the sample has asked them, too.
    """

    def __init__(self, plan: Plan, attempt: int | None = None, later: Collection[str] | None = None) -> None:
        self._attempt, self._later = attempt, () if later is None else later
        self.rendering = rendering_for(plan)
        columns = ResultColumns(plan.kind, plan.result_columns)
        self.beside = Contradictions(self.rendering, columns).beside
        self._names = columns.names
        self._columns = AnswerColumns(plan.answer_columns) if plan.answer_columns else None
        is_text = self._columns is None and plan.endpoint != EMBEDDINGS and later is None
        self.text: Callable[[bytes], bytes | None] | None = self.rendering.text if is_text else None

    def __call__(self, answer: Answer) -> tuple[bytes, str]:
        """The answer as it stands in the result, and its code if it is odd or cannot be read."""
        if self._attempt is not None and answer.status is RowStatus.ANSWERED:
            number = self.attempt_of(answer.custom_id)
            answer = answer._replace(attempt=number, attempts=number)
        if self._columns is None or answer.error_code not in _PLAIN:
            is_answered = answer.status is RowStatus.ANSWERED
            return self.rendering.answer(answer), answer.error_code if is_answered else ""
        values, problem = self._columns.read(answer.content)
        if problem is None:
            return self.rendering.answer(answer, values), answer.error_code
        # The row is still answered: it keeps its content, and its error columns say why.
        said = "; ".join(filter(None, (render_both(problem), answer.error_message)))
        told = answer._replace(error_code=problem.code, error_message=said)
        return self.rendering.answer(told, values), problem.code

    def attempt_of(self, custom_id: str) -> int:
        return (self._attempt or 0) + (custom_id in self._later)

    def cut_off_in(self, rendered: bytes) -> str:
        """The finish reason of an answer that is not whole, as its columns say it."""
        return cut_off(str(self.values_in(rendered).get("finish_reason", "")))

    def values_in(self, rendered: bytes) -> dict[str, object]:
        """What stands in the columns of an answer, by name."""
        return dict(zip(self._names, self.rendering.read_answer(rendered), strict=False))

    def settled(self, answer: Answer) -> SettledAnswer:
        content, unread = self(answer)
        return SettledAnswer(
            answer.custom_id, answer.status.value, unread, content, cut_off(answer.finish_reason)
        )


def answered_rows(
    plan: Plan, shard: int, rows: Iterable[OriginalRow], part: Iterable[bytes]
) -> Iterator[SettledAnswer]:
    """Each answered row of a part; see ``settled_rows``."""
    for row, settled in settled_rows(plan, shard, rows, part):
        if settled.status == _ANSWERED and row.is_good:
            yield settled


def settled_rows(
    plan: Plan,
    shard: int,
    rows: Iterable[OriginalRow],
    part: Iterable[bytes],
    is_wanted: Callable[[OriginalRow], bool] = lambda _: True,
) -> Iterator[tuple[OriginalRow, SettledAnswer]]:
    """Rows of a part, in order, with the very bytes that stand in the result.

    Args:
        plan: The job that made the part.
        shard: Its number; the first part begins with the header.
        rows: All rows of the shard. The n-th record of the part begins with the cells of the n-th.
        part: The part in chunks.
        is_wanted: Is asked about each row in turn. The others are not looked at.

    Raises:
        PartUnreadable: See there.
    """
    reader = _PartReader(plan)
    records = reader.rendering.read_rows(part)
    if shard == 1 and reader.rendering.header():
        next(records, None)
    for row in rows:
        record = next(records, None)
        if record is None:
            raise PartUnreadable(f"the part of shard {shard} has fewer records than rows")
        if is_wanted(row):
            yield row, reader.settled(row, record)
    if next(records, None) is not None:
        raise PartUnreadable(f"the part of shard {shard} has more records than rows")


class _PartReader:
    def __init__(self, plan: Plan) -> None:
        self.rendering = rendering_for(plan)
        self._columns = ResultColumns(plan.kind, plan.result_columns)

    def settled(self, row: OriginalRow, record: bytes) -> SettledAnswer:
        own = self.rendering.row(row.cells, b"")
        if not record.startswith(own):
            raise PartUnreadable(f"the record of row {row.custom_id!r} does not begin with its cells")
        rendered = record[len(own) :]
        values = dict(zip(self._columns.names, self._values(rendered), strict=False))
        status = str(values["status"]) if self._columns.is_table else _status_of_request(values)
        unread = str(values["error_code"]) if status == _ANSWERED else ""
        reason = cut_off(str(values.get("finish_reason", "")))
        attempt = values.get(ATTEMPT)
        fitted = int(str(attempt)) if attempt else 0
        return SettledAnswer(row.custom_id, status, unread, rendered, reason, fitted)

    def _values(self, rendered: bytes) -> list[object]:
        try:
            return self.rendering.read_answer(rendered)
        except ValueError as error:
            raise PartUnreadable(f"a record cannot be read: {error}") from error


def _status_of_request(values: Mapping[str, object]) -> str:
    """Bailian's columns have no status; a refusal has a code, whatever its HTTP status was."""
    is_answered = values["error_code"] in CODES_OF_ANSWERS
    return _ANSWERED if is_answered else RowStatus.REFUSED.value
