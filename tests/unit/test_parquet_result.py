from __future__ import annotations

import io
import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from shared.domain.errors import TransientError
from shared.services import parquet_result
from shared.services.parquet_result import write_parquet, write_parquet_result
from tests.builders import plan_job
from tests.fakes import FixedClock, MemoryStore, MemoryWriter


def lines(*rows: dict[str, Any]) -> list[bytes]:
    return [json.dumps(row, ensure_ascii=False).encode() for row in rows]


def written(rows: list[bytes], own_columns: int) -> bytes:
    published: list[bytes] = []
    writer = MemoryWriter(lambda content: bool(published.append(content)) or True)
    write_parquet(rows, own_columns, writer)
    writer.commit()
    return published[0]


def table_of(rows: list[bytes], own_columns: int) -> pa.Table:
    return pq.read_table(io.BytesIO(written(rows, own_columns)))


def test_texts_stay_texts_counts_are_numbers_and_everything_else_is_json() -> None:
    rows = lines(
        {"名": "0012", "created": "=1", "status": "answered", "content": [0.5, 1], "prompt_tokens": 3, "result_created": 1776432582, "n": {"a": "好"}},
        {"名": "", "created": "", "status": "expired", "content": None, "prompt_tokens": None, "result_created": None, "n": None},
    )  # fmt: skip

    table = table_of(rows, own_columns=2)

    assert {field.name: str(field.type) for field in table.schema} == {
        "名": "string", "created": "string", "status": "string", "content": "string", "prompt_tokens": "int64", "result_created": "int64", "n": "string",
    }  # fmt: skip
    assert table.to_pylist() == [
        {"名": "0012", "created": "=1", "status": "answered", "content": "[0.5,1]", "prompt_tokens": 3, "result_created": 1776432582, "n": '{"a":"好"}'},
        {"名": "", "created": "", "status": "expired", "content": None, "prompt_tokens": None, "result_created": None, "n": None},
    ]  # fmt: skip


@pytest.mark.parametrize("number", [2**63, -(2**70), "many", 1.5])
def test_a_count_that_is_none_does_not_keep_the_job_from_its_end(number: object) -> None:
    table = table_of(lines({"total_tokens": number}), own_columns=0)

    assert table.to_pylist() == [{"total_tokens": None}]


def test_no_digit_of_a_long_number_is_lost() -> None:
    rows = [b'{"n":[%s,%s]}' % (b"1" * 40, b"2" * 5000)]

    assert table_of(rows, own_columns=0).to_pylist() == [{"n": f'[{"1" * 40},"{"2" * 5000}"]'}]


def test_rows_keep_their_order_over_row_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_result, "_GROUP_ROWS", 7)
    monkeypatch.setattr(parquet_result, "_GROUP_BYTES", 100)
    rows = lines(*({"id": str(number)} for number in range(50)))

    content = written(rows, own_columns=1)

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
        write_parquet(lines({"a": "x"}), 1, Full(lambda _: True))
