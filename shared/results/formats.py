"""The registry of output formats: how rows are written and read back, and how parts are joined.

A new format is one row in ``FORMATS``, and its name in ``shared/recipes/recipe.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import JsonValue

from shared.bucket.records.ledger import Ledger
from shared.bucket.records.plan import Plan
from shared.ports.clock import Pause
from shared.ports.store import ObjectStore
from shared.recipes.columns.answers import AnswerColumns
from shared.results.columns import Answer, ResultColumns
from shared.results.csv_result import ResultTable
from shared.results.jsonl_result import ResultLines


class Rendering(Protocol):
    """Makes bytes of rows, and reads them back.

    The parts of all shards, joined after one header, are the result. An answer is rendered by
    itself, as soon as it is read, and put behind the row's own cells later: answers arrive in no
    order, and most of their bytes need never be looked at again.
    """

    def header(self) -> bytes: ...

    def answer(self, answer: Answer, values: Sequence[JsonValue] = ()) -> bytes:
        """The end of a line, in UTF-8: the answer's columns, then the recipe's ``columns``."""

    def text(self, text: bytes) -> bytes | None:
        """What ``answer`` makes of a JSON text, between what it writes around all texts alike.

        Its first character is no white space and begins no formula. ``None`` if in doubt.
        """

    def row(self, cells: Sequence[Any], answer: bytes) -> bytes:
        """One whole line, in UTF-8. Only formats that keep types get other cells than texts."""

    def encode(self, rows: bytes) -> bytes:
        """Whole lines in the encoding of the result."""

    def read_rows(self, part: Iterable[bytes]) -> Iterator[bytes]:
        """The lines of a part, each as ``row`` made it; the first part begins with the header.

        Raises:
            PartUnreadable: The part is damaged.
        """

    def read_answer(self, rendered: bytes) -> list[object]:
        """The values of what ``answer`` made.

        Raises:
            ValueError: The line is damaged.
        """

    def amended(self, rendered: bytes, values: Mapping[str, str | int]) -> bytes:
        """What ``answer`` made, with other values in those of our columns that the job has."""


class Join(Protocol):
    """Writes a result of its parts, and returns the keys of further files with rows.

    It is told the plan, the keys of the parts and that of the result, and what the ledger will say.
    Between pieces that need not be made again it pauses.
    """

    def __call__(
        self,
        store: ObjectStore,
        plan: Plan,
        parts: Sequence[str],
        key: str,
        ledger: Ledger,
        /,
        *,
        pause: Pause,
    ) -> tuple[str, ...]: ...


def _need_nothing(store: ObjectStore, plan: Plan, shard: int, part: str) -> None:
    """Its parts are all that the result is made of."""


@dataclass(frozen=True)
class OutputFormat:
    """One way to write a result.

    Attributes:
        part_suffix: How the names of its parts end.
        rendering: What writes the rows of a job's parts.
        join: Writes the result.
        prepare: Writes beside a finished part what ``join`` needs of it. It is told the plan, the
            number of the shard and the key of its part.
        typed_inputs: Of files in these formats, rows are kept with what their cells were, not only
            with their text. If there are any, columns of the result have types.
        max_columns: More than these it cannot hold.
    """

    part_suffix: str
    rendering: Callable[[Plan], Rendering]
    join: Join
    prepare: Callable[[ObjectStore, Plan, int, str], None] = _need_nothing
    typed_inputs: tuple[str, ...] = ()
    max_columns: int | None = None


def _table(plan: Plan) -> ResultTable:
    return ResultTable(
        ResultColumns(plan.kind, plan.result_columns),
        plan.columns,
        plan.output_encoding,
        guard=plan.formula_guard,
        answer_names=AnswerColumns.names_of(plan.answer_columns),
    )


def _lines(plan: Plan) -> ResultLines:
    columns = ResultColumns(plan.kind, plan.result_columns)
    return ResultLines(columns, plan.columns, plan.endpoint, AnswerColumns.names_of(plan.answer_columns))


def _concatenate(
    store: ObjectStore, _plan: Plan, parts: Sequence[str], key: str, _ledger: Ledger, **_: Pause
) -> tuple[str, ...]:
    store.concatenate(key, parts)
    return ()


def _write_parquet(
    store: ObjectStore, plan: Plan, parts: Sequence[str], key: str, _ledger: Ledger, *, pause: Pause
) -> tuple[str, ...]:
    # 27 MB of the zip and 60 in memory, which only such results need.
    from shared.results.tables.parquet_pieces import write_result  # noqa: PLC0415

    write_result(store, plan, list(parts), key, pause)
    return ()


def _write_parquet_piece(store: ObjectStore, plan: Plan, shard: int, part: str) -> None:
    from shared.results.tables.parquet_pieces import is_by_shard, write_piece  # noqa: PLC0415  # as above

    if is_by_shard(plan):
        write_piece(store, plan, shard, part)


def _write_xlsx(
    store: ObjectStore, plan: Plan, parts: Sequence[str], key: str, ledger: Ledger, *, pause: Pause
) -> tuple[str, ...]:
    from shared.results.tables.xlsx_result import write_xlsx_result  # noqa: PLC0415  # few results are workbooks

    return write_xlsx_result(store, plan, parts, key, ledger, pause=pause)


# By the name that recipes and plans have. Parquet and workbooks cannot be joined of parts: they are
# made of JSONL.
FORMATS: Mapping[str, OutputFormat] = {
    "csv": OutputFormat("csv", _table, _concatenate),
    "jsonl": OutputFormat("jsonl", _lines, _concatenate),
    "parquet": OutputFormat("jsonl", _lines, _write_parquet, _write_parquet_piece, typed_inputs=("parquet",)),
    "xlsx": OutputFormat("jsonl", _lines, _write_xlsx, typed_inputs=("parquet", "xlsx"), max_columns=16_384),
}


def format_of(plan: Plan) -> OutputFormat:
    return FORMATS[plan.output_format]


def rendering_for(plan: Plan) -> Rendering:
    return format_of(plan).rendering(plan)
