from __future__ import annotations

import io
import tracemalloc
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from shared.formats.record import Record, TableNotes
from shared.formats.sizes import MIB
from shared.formats.tables.parquet import parquet_records
from shared.problems.exceptions import UserInputError
from shared.problems.render import render_problem
from tests.support.reading import RECIPE, assert_told, opened, prompt_of


def parquet(table: pa.Table, **options: Any) -> bytes:
    content = io.BytesIO()
    pq.write_table(table, content, **options)
    return content.getvalue()


def read(content: bytes) -> list[Record]:
    return list(parquet_records(io.BytesIO(content), TableNotes()))


@pytest.mark.parametrize(
    ("values", "kind", "texts"),
    [
        (["好", "", None], pa.string(), ["好", "", ""]),
        (["a", "b", "a"], pa.dictionary(pa.int8(), pa.string()), ["a", "b", "a"]),
        ([1, -(2**63), None], pa.int64(), ["1", "-9223372036854775808", ""]),
        ([13800138000.0, 0.1, 1e21, None], pa.float64(), ["13800138000", "0.1", "1e+21", ""]),
        ([0.1, 2.0, float("nan")], pa.float32(), ["0.1", "2", ""]),
        ([1.5, -float("nan"), float("inf")], pa.float64(), ["1.5", "", "inf"]),
        ([[1.0, float("nan")], None], pa.list_(pa.float64()), ["[1.0, null]", ""]),
        ([{"x": float("nan")}], pa.struct([("x", pa.float32())]), ['{"x": null}']),
        ([float("nan"), 1.0], pa.dictionary(pa.int8(), pa.float64()), ["", "1"]),
        ([Decimal("1000.00"), Decimal("0.00"), None], pa.decimal128(38, 2), ["1000.00", "0.00", ""]),
        ([True, False, None], pa.bool_(), ["TRUE", "FALSE", ""]),
        ([date(2026, 1, 31), None], pa.date32(), ["2026-01-31", ""]),
        ([datetime(2026, 1, 31, 8, 5), None], pa.timestamp("us"), ["2026-01-31 08:05:00", ""]),  # noqa: DTZ001  # cells have no zone
        ([1, 10**18 + 500], pa.timestamp("ns"), ["1970-01-01 00:00:00.000000001", "2001-09-09 01:46:40.0000005"]),
        ([253402300800], pa.timestamp("s"), ["10000-01-01 00:00:00"]),
        ([0, None], pa.timestamp("s", "Asia/Shanghai"), ["1970-01-01 00:00:00Z", ""]),
        ([time(8, 5, 0, 10), None], pa.time64("us"), ["08:05:00.00001", ""]),
        ([timedelta(milliseconds=1500), None], pa.duration("ms"), ["1500", ""]),
        (["字".encode(), b"\xff", None], pa.binary(), ["字", "ff", ""]),
        ([[1, None], [], None], pa.list_(pa.int8()), ["[1, null]", "[]", ""]),
        ([{"名": [date(2026, 1, 31)]}], pa.struct([("名", pa.list_(pa.date32()))]), ['{"名": ["2026-01-31"]}']),
        ([[("k", 1)]], pa.map_(pa.string(), pa.int8()), ['[["k", 1]]']),
        ([None, None], pa.null(), ["", ""]),
    ],
)  # fmt: skip
def test_each_type_of_column_comes_as_text(values: list[object], kind: pa.DataType, texts: list[str]) -> None:
    content = parquet(pa.table({"列": pa.array(values, kind)}))

    header, *rows = read(content)

    assert (header.line, header.cells) == (0, ("列",))
    assert [row.cells for row in rows] == [(text,) for text in texts]


def test_rows_come_in_order_over_row_groups_and_are_numbered_from_one() -> None:
    table = pa.table({"n": list(range(10_000)), "n2": [str(n) for n in range(10_000)]})

    _, *rows = read(parquet(table, row_group_size=777))

    assert [(row.line, row.cells) for row in rows] == [(n + 1, (str(n), str(n))) for n in range(10_000)]


def repeated(size: int, rows: int, kind: str) -> bytes:
    """A file whose rows all say the same long text, which it holds once."""
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array(["x" * size]))
    if kind == "list":
        texts = pa.ListArray.from_arrays(pa.array(range(rows + 1), pa.int32()), texts)
    # Without Arrow's own schema the column comes back as plain texts.
    return parquet(pa.table({"doc": texts}), store_schema=kind == "dictionary", write_batch_size=10)


@pytest.mark.parametrize("kind", ["text", "dictionary", "list"])
@pytest.mark.parametrize(("size", "rows"), [(100_000, 1100), (5_000_000, 30)])
def test_a_text_that_all_rows_share_does_not_take_memory_for_each(kind: str, size: int, rows: int) -> None:
    content = repeated(size, rows, kind)

    tracemalloc.start()
    records = parquet_records(io.BytesIO(content), TableNotes())
    lengths = [len(record.cells[0]) for record in records][1:]
    peak_bytes = tracemalloc.get_traced_memory()[1] + (pa.system_memory_pool().max_memory() or 0)
    tracemalloc.stop()

    assert lengths == [size + 4 * (kind == "list")] * rows
    assert peak_bytes < 100 * MIB < size * rows


def test_rows_that_grow_late_in_a_row_group_come_once_and_in_order() -> None:
    texts = [f"{n} " + "x" * (200_000 if n > 500 else 0) for n in range(900)]

    _, *rows = read(parquet(pa.table({"doc": texts}), row_group_size=850))

    assert [(row.line, row.cells[0]) for row in rows] == list(enumerate(texts, 1))


def test_columns_of_one_name_are_both_there() -> None:
    table = pa.Table.from_arrays([pa.array(["1"]), pa.array(["2"])], names=["a", "a"])

    header, row = read(parquet(table))

    assert (header.cells, row.cells) == (("a", "a"), ("1", "2"))


def test_text_that_is_not_utf8_and_nul_are_problems_of_their_row() -> None:
    damaged = pa.Array.from_buffers(
        pa.string(), 3, [None, pa.py_buffer(b"".join(n.to_bytes(4, "little") for n in (0, 1, 4, 6))), pa.py_buffer(b"a\xe5\xa5\xffb\0")]
    )  # fmt: skip

    _, *rows = read(parquet(pa.Table.from_arrays([damaged], names=["a"])))

    assert [[problem.code for problem in row.problems] for row in rows] == [
        [],
        ["invalid_encoding"],
        ["nul_character"],
    ]
    assert [problem.line for row in rows for problem in row.problems] == [2, 3]
    for row in rows:
        assert_told(row.problems)


@pytest.mark.parametrize(
    ("good", "bad", "kind"),
    [
        (1, 365_000_000, pa.date32()),
        (0, 10**15, pa.timestamp("s")),
        (1, 10**15, pa.duration("s")),
    ],
)
def test_a_value_in_a_list_that_python_cannot_hold_is_a_problem_of_its_row(
    good: int, bad: int, kind: pa.DataType
) -> None:
    content = parquet(pa.table({"a": pa.array([[good], [bad], None], pa.list_(kind))}))

    _, *rows = read(content)

    assert [[problem.code for problem in row.problems] for row in rows] == [[], ["unreadable_value"], []]
    (problem,) = rows[1].problems
    assert (problem.line, problem.field, bool(problem.values["reason"])) == (2, "a", True)
    assert_told(rows[1].problems)


def test_times_of_a_zone_that_nobody_knows_are_problems_of_their_rows() -> None:
    content = parquet(pa.table({"a": pa.array([[1], [], [2]], pa.list_(pa.timestamp("s", tz="Foo/Bar")))}))

    _, *rows = read(content)

    assert [len(row.problems) for row in rows] == [1, 0, 1]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PAR1",
        b"id,text\n1,hello\n",
        parquet(pa.table({"a": ["x" * 1000]}))[:-1],
        parquet(pa.table({"a": ["x" * 1000]}), compression="none").replace(b"x" * 1000, b"x" * 900),
    ],
)
def test_what_is_no_parquet_file_is_refused_with_advice(content: bytes) -> None:
    with pytest.raises(UserInputError) as refusal:
        read(content)

    assert_told(refusal.value.problems)
    assert [problem.code for problem in refusal.value.problems] == ["unreadable_parquet"]


def test_a_table_without_columns_ends_without_rows() -> None:
    header, *_ = read(parquet(pa.table({})))

    assert header.cells == ()


def test_without_a_recipe_two_columns_of_any_name_are_id_and_content() -> None:
    content = parquet(pa.table({"x": ["7", "8"], "y": ["hello", "bye"]}))
    reader = opened("a.parquet", lambda: iter([content]), None)

    rows = list(reader.rows())

    assert [(row.line, row.custom_id, prompt_of(row)) for row in rows] == [(1, "7", "hello"), (2, "8", "bye")]
    assert reader.facts.columns == ("id", "prompt")


def test_a_column_that_the_prompt_needs_and_the_file_lacks_is_told_without_a_line() -> None:
    content = parquet(pa.table({"b": ["x"]}))
    reader = opened("a.parquet", lambda: iter([content]), RECIPE)

    rows = list(reader.rows())

    (problem,) = reader.problems.first
    assert (rows, problem.code) == ([], "missing_column")
    assert not render_problem(problem, "en").startswith("Line")
