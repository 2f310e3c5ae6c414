"""Columns of a Parquet result have the types that are known of them, and lose nothing by it."""

from __future__ import annotations

import io
import json
import math
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from shared.bucket.attempt import JobId
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import record_key
from shared.bucket.records.plan import Plan
from shared.ports.clock import no_pause
from shared.results.formats import format_of
from shared.results.tables import parquet_result
from shared.results.tables.part_values import read_exactly
from tests.support.fakes import MemoryStore
from tests.support.whole_job import PROMPT, run_job, says

PARQUET = PROMPT + "output: {format: parquet}\n"


def dropped(**columns: pa.Array) -> bytes:
    content = io.BytesIO()
    pq.write_table(pa.table(columns), content)
    return content.getvalue()


def table_of(store: MemoryStore, plan: Plan) -> pa.Table:
    return pq.read_table(io.BytesIO(store.get(plan.result_key)))


@pytest.mark.parametrize(
    ("written", "typed"),
    [("NaN", math.nan), ("-Infinity", -math.inf), ("7", 7), ("1e999", math.inf), ("9" * 5_000, "9" * 5_000)],
)
def test_a_number_of_an_older_part_is_a_number_only_where_one_belongs(written: str, typed: object) -> None:
    line = f'{{"a":"x","n":{written},"v":[{written}]}}\n'.encode()

    texts, values = read_exactly(line, ()), read_exactly(line, (1, 2))

    assert texts == ["x", written, f"[{written}]"]
    assert repr(values) == repr(["x", typed, [typed]])


@pytest.mark.parametrize("output", ["parquet", "xlsx"])
@pytest.mark.parametrize(
    ("group", "filled"),
    [
        (pa.array(["p", None, None, "q", ""]), ["p", "p", "p", "q", "q"]),
        (pa.array([7, None, None, 8, None]), [7, 7, 7, 8, 8]),
        (pa.array([None, 0.5, None, None, None]), [None, 0.5, 0.5, 0.5, 0.5]),
        (pa.array(["p", "", "", "q", ""]), ["p", "p", "p", "q", "q"]),
    ],
    ids=["nulls", "numbers", "first is null", "blank texts"],
)
@pytest.mark.parametrize(
    "other", [[None, "", None, "t", ""], ["s", "", "", "t", ""]], ids=["null", "no null"]
)
def test_nulls_of_a_row_that_is_filled_down_stay_nulls(
    group: pa.Array, filled: list[object], other: list[str | None], output: str
) -> None:
    columns = {"a": pa.array(list("vwxyz")), "g": group, "o": pa.array(other)}
    recipe = PROMPT + f"fill_down: [g]\noutput: {{format: {output}}}\n"

    store, plan = run_job("t.parquet", dropped(**columns), recipe)

    if output == "parquet":
        table = table_of(store, plan)
        assert (table["g"].to_pylist(), table["g"].type) == (filled, group.type)
        assert table["o"].to_pylist() == other
    else:
        sheet = openpyxl.load_workbook(io.BytesIO(store.get(plan.result_key))).worksheets[0]
        place = [cell.value for cell in sheet[1]].index("g")
        assert [row[place] for row in sheet.iter_rows(2, values_only=True)] == filled


def closed_again(store: MemoryStore, plan: Plan, **changes: object) -> pa.Table:
    """The result that is made of the same parts under a changed plan."""
    changed = plan.model_copy(update=changes)
    records = BucketRecords(store)
    ledger = records.find_ledger(JobId(plan.job_id))
    parts = [
        settled.part_key
        for shard in plan.shards
        if (settled := records.find_settled(JobId(plan.job_id), shard.shard))
    ]
    assert ledger
    assert parts
    format_of(changed).join(store, changed, parts, "results/again.parquet", ledger, pause=no_pause)
    return pq.read_table(io.BytesIO(store.get("results/again.parquet")))


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, -(2**63), None], pa.int64()),
        ([1, 255, None], pa.uint8()),
        ([2**64 - 1, None], pa.uint64()),
        ([-128, None], pa.int8()),
        ([0.1, 1e300, -0.0, None], pa.float64()),
        ([float("inf"), float("-inf"), 1e-320], pa.float64()),
        ([0.1, 16777217.0, None], pa.float32()),
        ([0.5, 65504.0, None], pa.float16()),
        ([True, False, None], pa.bool_()),
        ([date(2026, 1, 31), date(1, 1, 1), None], pa.date32()),
        ([date(2026, 1, 31), None], pa.date64()),
        ([datetime(2026, 1, 31, 8, 5), None], pa.timestamp("s")),  # noqa: DTZ001  # cells have no zone
        ([datetime(2026, 1, 31, 8, 5, 0, 7), None], pa.timestamp("us")),  # noqa: DTZ001
        ([1, 10**18 + 501, None], pa.timestamp("ns")),
        ([0, 1_700_000_000_123, None], pa.timestamp("ms", "Asia/Shanghai")),
        ([0, None], pa.timestamp("us", "UTC")),
        ([0, 10**18 + 1], pa.timestamp("ns", "+08:00")),
        ([Decimal("1000.00"), Decimal("-0.01"), None], pa.decimal128(38, 2)),
        ([Decimal("12345678901234567890123456789012345678901.5"), None], pa.decimal256(50, 1)),
        ([time(8, 5), None], pa.time32("s")),
        ([time(8, 5, 0, 10), None], pa.time64("us")),
        ([1, None], pa.time64("ns")),
        ([timedelta(milliseconds=1500), timedelta(days=-2), None], pa.duration("ms")),
        (["0012", "", None, "=1+1"], pa.string()),
        (["0012", "", None], pa.large_string()),
    ],
    ids=lambda each: str(each) if isinstance(each, pa.DataType) else "",
)  # fmt: skip
def test_a_column_of_parquet_keeps_its_type_its_values_and_its_nulls(
    values: list[object], kind: pa.DataType
) -> None:
    column = pa.array(values, kind)

    store, plan = run_job("t.parquet", dropped(a=pa.array(["x"] * len(values)), b=column), PARQUET)

    source, result = pq.read_table(io.BytesIO(store.get("inbox/t.parquet"))), table_of(store, plan)
    assert result["b"].type == source["b"].type
    assert result["b"].combine_chunks() == source["b"].combine_chunks()


def test_not_a_number_is_not_null() -> None:
    column = pa.array([float("nan"), None, 1.0])

    store, plan = run_job("t.parquet", dropped(a=pa.array(["x"] * 3), b=column), PARQUET)

    first, second, third = table_of(store, plan)["b"].to_pylist()
    assert first != first  # noqa: PLR0124  # how one knows it
    assert (second, third) == (None, 1.0)


@pytest.mark.parametrize(
    ("column", "texts"),
    [
        (pa.array([[1, None], [], None]), ["[1, null]", "[]", None]),
        (pa.array([{"k": "好"}]), ['{"k": "好"}']),
        (pa.array([b"\xff", "字".encode(), None]), ["ff", "字", None]),
        (pa.array([b"\xff", "字".encode(), None], pa.large_binary()), ["ff", "字", None]),
        (pa.array([b"\xff", "字".encode(), None], pa.binary_view()), ["ff", "字", None]),
        (pa.array([b"\xff\xfe", b"ab", None], pa.binary(2)), ["fffe", "ab", None]),
        (pa.array([b"\xff", b"ab"], pa.large_binary()).dictionary_encode(), ["ff", "ab"]),
        (pa.array(["a", None, "a"]).dictionary_encode(), ["a", None, "a"]),
        (pa.array([None, None]), [None, None]),
        # Arrow writes such a time, and does not read it.
        (pa.array([253402300800, 0], pa.timestamp("s")), ["10000-01-01 00:00:00", "1970-01-01 00:00:00"]),
    ],
)  # fmt: skip
def test_what_is_read_as_text_comes_as_text(column: pa.Array, texts: list[str]) -> None:
    store, plan = run_job("t.parquet", dropped(a=pa.array(["x"] * len(column)), b=column), PARQUET)

    result = table_of(store, plan)
    assert (str(result["b"].type), result["b"].to_pylist()) == ("string", texts)


def test_columns_of_the_same_name_keep_their_own_types() -> None:
    content = io.BytesIO()
    pq.write_table(
        pa.Table.from_arrays([pa.array(["x"]), pa.array([5]), pa.array([0.5])], ["a", "created", "created"]),
        content,
    )

    store, plan = run_job("t.parquet", content.getvalue(), PARQUET)

    result = table_of(store, plan)
    assert (result["created"].to_pylist(), result["created_2"].to_pylist()) == ([5], [0.5])
    assert str(result["result_created"].type) == "int64"


def test_a_skipped_row_keeps_its_types_too() -> None:
    columns = {"a": pa.array(["x", None]), "b": pa.array([1, 2])}

    store, plan = run_job("t.parquet", dropped(**columns), PARQUET + "on_bad_rows: skip\n")

    result = table_of(store, plan)
    assert (result["a"].to_pylist(), result["b"].to_pylist()) == (["x", None], [1, 2])
    assert result["status"].to_pylist() == ["answered", "refused"]


VALUES = [5.0, 0.1, True, date(2026, 1, 31), time(8, 5), datetime(2026, 1, 31, 8, 5), "#N/A", "0012", None]  # noqa: DTZ001
TEXTS = ["5", "0.1", "TRUE", "2026-01-31", "08:05:00", "2026-01-31 08:05:00", "#N/A", "0012", ""]


def dropped_rows(ending: str, *first_cells: str) -> bytes:
    """Rows of the same values in columns ``a``, ``0``, ``1`` …."""
    header = ["a", *map(str, range(len(VALUES)))]
    if ending == "xlsx":
        book = openpyxl.Workbook()
        for row in (header, *([first, *VALUES] for first in first_cells)):
            book.active.append(row)
        content = io.BytesIO()
        book.save(content)
        return content.getvalue()
    delimiter = {"csv": ",", "tsv": "\t"}[ending]
    rows = [header, *([first, *TEXTS] for first in first_cells)]
    return "".join(delimiter.join(row) + "\n" for row in rows).encode()


@pytest.mark.parametrize("ending", ["xlsx", "csv", "tsv"])
def test_cells_of_a_file_whose_columns_have_no_types_are_the_texts_that_a_csv_has(ending: str) -> None:
    content = dropped_rows(ending, "x", "")

    store, plan = run_job(f"t.{ending}", content, PARQUET + "on_bad_rows: skip\n")

    result = table_of(store, plan)
    assert result["status"].to_pylist() == ["answered", "refused"]
    own = result.select([str(number) for number in range(len(VALUES))])
    assert {str(kind) for kind in own.schema.types} == {"string"}
    assert [column.to_pylist() for column in own.columns] == [[text, text] for text in TEXTS]


SCHEMA = """columns:
  type: object
  properties:
    whole: {type: integer}
    part: {type: [number, 'null']}
    ok: {type: boolean}
    name: {type: string, enum: [好, 坏]}
    tags: {type: array}
    more: {type: object}
    either: {type: [string, integer]}
    any: {}
"""


@pytest.mark.parametrize(
    ("said", "values"),
    [
        ({"whole": 5, "part": 0.5, "ok": True, "name": "好", "tags": [1.0], "more": {"k": 1}, "either": 7, "any": None},
         [5, 0.5, True, "好", "[1.0]", '{"k":1}', "7", None]),
        ({"whole": 5.0, "part": 3, "ok": False, "name": "坏", "tags": [], "more": {}, "either": "x", "any": True},
         [5, 3.0, False, "坏", "[]", "{}", "x", "true"]),
        ({"whole": "five", "part": "half", "ok": "yes", "name": 7, "tags": "t", "more": 1, "either": 0.5, "any": "y"},
         [None, None, None, "7", "t", "1", "0.5", "y"]),
        ({"whole": 2**70, "part": None, "ok": 1, "name": "好"}, [None, None, None, "好", None, None, None, None]),
        ({"whole": 2**63 - 1, "part": 10**400}, [2**63 - 1, None, None, None, None, None, None, None]),
        ({}, [None] * 8),
    ],
    ids=["all", "others", "misfits", "large", "larger", "nothing"],
)  # fmt: skip
def test_answers_have_the_types_of_the_schema_and_content_has_what_does_not_fit(
    said: dict[str, Any], values: list[object]
) -> None:
    content = json.dumps(said, ensure_ascii=False)

    store, plan = run_job("t.csv", b"a\nx\n", PARQUET + SCHEMA, says(content))

    result = table_of(store, plan)
    names = ["whole", "part", "ok", "name", "tags", "more", "either", "any"]
    assert [str(result[name].type) for name in names] == [
        "int64", "double", "bool", "string", "string", "string", "string", "string"
    ]  # fmt: skip
    (row,) = result.to_pylist()
    assert [row[name] for name in names] == values
    assert row["content"] == content


EMBED = "model: text-embedding-v4\nprompt: '{{ row[\"a\"] }}'\noutput: {format: parquet}\n"


def vectors(*rows: object) -> Any:
    """Each request gets the next of these as its ``data``; ``None`` refuses it."""
    left = iter(rows)

    def answer(line: dict[str, Any]) -> dict[str, Any]:
        row: Any = next(left)
        data = (
            [{"embedding": each, "index": index} for index, each in enumerate(row)]
            if row is not None
            else None
        )
        body = {"data": data} if data is not None else {"error": {"code": "Bad", "message": "no"}}
        response = {"status_code": 200 if data is not None else 400, "request_id": "r", "body": body}
        return {"id": "r", "custom_id": line["custom_id"], "response": response, "error": None}

    return answer


def test_vectors_are_lists_in_single_precision() -> None:
    answer = vectors([[0.5, -1e-3, 3]], None, [[0.25, -0.0]])

    store, plan = run_job("t.csv", b"a\nx\ny\nz\n", EMBED, answer)

    result = table_of(store, plan)
    assert result["content"].type == pa.list_(pa.float32())
    # The provider's order is not the file's.
    got = sorted(map(str, result["content"].to_pylist()))
    single = [str(pa.array(each, pa.float32()).to_pylist()) for each in ([0.5, -1e-3, 3], [0.25, -0.0])]
    assert got == sorted([*single, "None"])


@pytest.mark.parametrize(
    "rows",
    [
        ([[1.5, 2], [3, 4]], [[5, 6], [7, 8]]),
        ([[1.5, 2]], [[5, 6], [7, 8]]),
        ([[1.5, 1e300]], [[1, 2]]),
        ([["x", 2]], [[1, 2]]),
    ],
    ids=["several", "one and several", "double", "texts"],
)
def test_vectors_that_are_not_alike_are_json_and_whole(rows: tuple[Any, ...]) -> None:
    store, plan = run_job("t.csv", b"a\nx\ny\n", EMBED, vectors(*rows))

    result = table_of(store, plan)
    assert str(result["content"].type) == "string"
    got = [json.loads(each) for each in result["content"].to_pylist()]
    assert sorted(got, key=str) == sorted((row[0] if len(row) == 1 else row for row in rows), key=str)


def test_no_vector_at_all_is_no_trouble() -> None:
    store, plan = run_job("t.csv", b"a\nx\n", EMBED, vectors(None))

    assert table_of(store, plan)["status"].to_pylist() == ["refused"]


def test_types_and_what_does_not_fit_go_over_row_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_result, "_GROUP_ROWS", 2)
    times = pa.array([*range(5), 253402300800], pa.timestamp("s"))
    columns = {"a": pa.array(["x"] * 6), "b": times, "n": pa.array(range(6))}

    store, plan = run_job("t.parquet", dropped(**columns), PARQUET)

    result = table_of(store, plan)
    assert result["b"].to_pylist()[::5] == ["1970-01-01 00:00:00", "10000-01-01 00:00:00"]
    assert result["n"].to_pylist() == [*range(6)]


def test_a_plan_of_an_older_version_gives_texts_as_it_did() -> None:
    columns = {"a": pa.array(["x"]), "b": pa.array([5])}
    store, plan = run_job(
        "t.parquet", dropped(**columns), PARQUET + SCHEMA, says('{"whole": 5}', total_tokens=7)
    )
    old = json.loads(store.get(record_key(JobId(plan.job_id), "plan.json")))
    assert old.pop("is_typed")
    assert old.pop("column_types") == ["string", "int64"]

    result = closed_again(store, Plan.model_validate(old))

    (row,) = result.to_pylist()
    assert (row["b"], row["whole"], row["total_tokens"]) == ("5", "5", 7)


def test_jsonl_has_texts_as_before() -> None:
    columns = {"a": pa.array(["x", "y"]), "b": pa.array([5, None])}

    store, plan = run_job("t.parquet", dropped(**columns), PROMPT + "output: {format: jsonl}\n")

    rows = [json.loads(line) for line in store.get(plan.result_key).split(b"\n")[:-1]]
    assert [(row["a"], row["b"]) for row in rows] == [("x", "5"), ("y", "")]
