from __future__ import annotations

import io
import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import JsonValue

from shared.problems.exceptions import TransientError
from shared.results.columns import Answer, RowStatus
from shared.results.formats import rendering_for
from shared.results.tables import parquet_result
from shared.results.tables.arrow_columns import COUNT
from shared.results.tables.parquet_result import write_parquet, write_parquet_result
from tests.support.builders import plan_job
from tests.support.fakes import FixedClock, MemoryStore, MemoryWriter


def lines(*rows: dict[str, Any]) -> list[bytes]:
    return [json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() for row in rows]


def written(rows: list[bytes], *numbers: int) -> bytes:
    published: list[bytes] = []
    writer = MemoryWriter(lambda content: bool(published.append(content)) or True)
    assert not write_parquet(rows, dict.fromkeys(numbers, COUNT), writer)
    writer.commit()
    return published[0]


def table_of(rows: list[bytes], *numbers: int) -> pa.Table:
    return pq.read_table(io.BytesIO(written(rows, *numbers)))


def result_of(
    columns: tuple[str, ...], answer_columns: dict[str, JsonValue], kind: str = "recipe_csv"
) -> pa.Table:
    """The result of one row whose cells and whose answer's values are all ``"text"``."""
    store = MemoryStore(FixedClock())
    planned = plan_job(store, FixedClock(), kind=kind, output_format="parquet", columns=answer_columns)
    plan = planned.model_copy(update={"columns": columns})
    rendering = rendering_for(plan)
    answer = Answer("1", RowStatus.ANSWERED, total_tokens=12, created=5, status_code=200)
    line = rendering.row(["text"] * len(columns), rendering.answer(answer, ["text"] * len(answer_columns)))
    store.put("jobs/1", line)
    write_parquet_result(store, plan, ["jobs/1"], "results/1.parquet")
    return pq.read_table(io.BytesIO(store.get("results/1.parquet")))


def test_texts_stay_texts_counts_are_numbers_and_everything_else_is_json() -> None:
    rows = lines(
        {"名": "0012", "created": "=1", "status": "answered", "content": [0.5, 1], "prompt_tokens": 3, "result_created": 1776432582, "n": {"a": "好"}},
        {"名": "", "created": "", "status": "expired", "content": None, "prompt_tokens": None, "result_created": None, "n": None},
    )  # fmt: skip

    table = table_of(rows, 4, 5)

    assert {field.name: str(field.type) for field in table.schema} == {
        "名": "string", "created": "string", "status": "string", "content": "string", "prompt_tokens": "int64", "result_created": "int64", "n": "string",
    }  # fmt: skip
    assert table.to_pylist() == [
        {"名": "0012", "created": "=1", "status": "answered", "content": "[0.5,1]", "prompt_tokens": 3, "result_created": 1776432582, "n": '{"a":"好"}'},
        {"名": "", "created": "", "status": "expired", "content": None, "prompt_tokens": None, "result_created": None, "n": None},
    ]  # fmt: skip


def test_columns_of_the_file_and_the_recipe_are_texts_whatever_they_are_called() -> None:
    names: dict[str, JsonValue] = {
        "created": "created",
        "total_tokens": "total_tokens",
        "status_code": "status_code",
    }

    (row,) = result_of(("created", "result_created", "prompt_tokens"), names).to_pylist()

    assert {name: value for name, value in row.items() if value not in ("", None)} == {
        "created": "text",
        "result_created": "text",
        "prompt_tokens": "text",
        "status": "answered",
        "total_tokens": 12,
        "result_result_created": 5,
        "result_result_result_created": "text",
        "result_total_tokens": "text",
        "status_code": "text",
    }


def test_raw_requests_have_their_numbers_too() -> None:
    (row,) = result_of(("created",), {}, "request_jsonl").to_pylist()

    assert (row["status_code"], row["created"]) == (200, 5)


@pytest.mark.parametrize("number", [2**63, -(2**70), "many", "3", 1.5, True])
def test_a_count_that_is_none_does_not_keep_the_job_from_its_end(number: object) -> None:
    table = table_of(lines({"total_tokens": number}), 0)

    assert table.to_pylist() == [{"total_tokens": None}]


@pytest.mark.parametrize(
    "value",
    [
        "[0.12345678901234567891,1e-5,-0.0,2.50]",
        '{"cost": 1e400, "n": NaN}',
        "-0",
        "true",
        f"[{'1' * 40},{'2' * 5000}]",
        "3" * 5000,
        f"{'[' * 300}{']' * 300}",
    ],
)
def test_what_is_no_text_comes_as_it_stands_in_jsonl_digit_for_digit(value: str) -> None:
    rows = [b'{"a":"x","n":%s,"z":"y"}\n' % value.encode()] * 2

    assert table_of(rows).to_pylist() == [{"a": "x", "n": value, "z": "y"}] * 2


def test_rows_keep_their_order_over_row_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_result, "_GROUP_ROWS", 7)
    monkeypatch.setattr(parquet_result, "_GROUP_BYTES", 100)
    rows = lines(*({"id": str(number)} for number in range(50)))

    content = written(rows)

    assert pq.ParquetFile(io.BytesIO(content)).metadata.num_row_groups > 5
    assert pq.read_table(io.BytesIO(content))["id"].to_pylist() == [str(number) for number in range(50)]


def test_the_same_parts_give_the_same_bytes_and_nothing_of_a_run_that_failed_is_seen() -> None:
    store = MemoryStore(FixedClock())
    plan = plan_job(store, FixedClock())
    store.put("jobs/1", b'{"name":"a"}\n{"name":"b"}\n')
    store.put("jobs/2", b'{"name":"\\u2028"}\n')
    for key in ("results/1.parquet", "results/2.parquet"):
        write_parquet_result(store, plan, ["jobs/1", "jobs/2"], key)

    assert store.get("results/1.parquet") == store.get("results/2.parquet")
    names = pq.read_table(io.BytesIO(store.get("results/1.parquet")))["name"].to_pylist()
    assert names == ["a", "b", "\u2028"]


def test_a_store_that_fails_is_heard_through_the_library() -> None:
    class Full(MemoryWriter):
        def write(self, chunk: bytes) -> None:
            raise TransientError("503")

    with pytest.raises(TransientError, match="503"):
        write_parquet(lines({"a": "x"}), {}, Full(lambda _: True))
