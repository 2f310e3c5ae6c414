"""A Parquet result that is joined of pieces is the one that one writer would have written."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from shared.bucket.attempt import Attempt
from shared.bucket.records import Plan
from shared.formats.tables.parquet_footer import footer_end
from shared.formats.tables.thrift import parse_struct, render_struct
from shared.results.tables.parquet_pieces import join_pieces, write_piece
from shared.results.tables.parquet_result import write_parquet_result
from tests.support.builders import JOB, plan_job
from tests.support.fakes import FixedClock, MemoryStore
from tests.support.pipeline import Pipeline

ROWS: dict[str, Sequence[Sequence[tuple[str, Any, Any]]]] = {
    "texts, numbers and nothing": [[("a", 1, 0.5), ("", None, None)], [("好🎉", 7, -1e300)], [("c" * 300, 0, 2)]],
    "nothing but nulls in one": [[("", None, None)] * 3, [("x", 2**62, 1.5)], [("", None, None)]],
    "many of one kind": [[("same", n, n / 3) for n in range(500)] for _ in range(20)],
    "texts of many lengths": [[("é" * (n * number), n, 1.0) for n in range(60)] for number in range(1, 5)],
}  # fmt: skip


def filled(shards: Sequence[Sequence[tuple[str, Any, Any]]]) -> tuple[MemoryStore, Plan, list[str]]:
    """A store with the parts of a job, whose columns are a text, a count and an answer's number."""
    store, clock = MemoryStore(FixedClock()), FixedClock()
    columns: dict[str, Any] = {"score": {"type": "number"}}
    plan = plan_job(store, clock, output_format="parquet", columns=columns)
    plan = plan.model_copy(update={"is_typed": True, "result_columns": ("status", "total_tokens")})
    parts = []
    for number, rows in enumerate(shards, 1):
        lines = (
            {"name": text, "status": "answered", "total_tokens": count, "score": score}
            for text, count, score in rows
        )
        parts.append(f"work/part-{number}")
        store.put(
            parts[-1],
            "".join(
                json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in lines
            ).encode(),
        )
    return store, plan, parts


def written_again(content: bytes) -> bytes:
    """The same row groups, by one writer of pyarrow's."""
    file, again = pq.ParquetFile(io.BytesIO(content)), io.BytesIO()
    with pq.ParquetWriter(again, file.schema_arrow) as writer:
        for number in range(file.num_row_groups):
            (batch,) = file.read_row_group(number).combine_chunks().to_batches()
            writer.write_batch(batch)
    return again.getvalue()


@pytest.mark.parametrize("rows", ROWS)
def test_pieces_make_the_file_that_one_writer_makes_byte_for_byte(rows: str) -> None:
    store, plan, parts = filled(ROWS[rows])

    for number, part in enumerate(parts, 1):
        assert write_piece(store, plan, number, part)
    assert join_pieces(store, parts, "joined")
    write_parquet_result(store, plan, parts, "at once")

    joined = store.get("joined")
    assert joined == written_again(joined)
    assert pq.ParquetFile(io.BytesIO(joined)).num_row_groups == len(parts)
    assert pq.read_table(io.BytesIO(joined)).equals(pq.read_table(io.BytesIO(store.get("at once"))))


def test_where_the_values_of_one_shard_do_not_fit_their_column_no_pieces_are_joined() -> None:
    """The column is one of texts then, in all shards."""
    store, plan, parts = filled([[("2026-01-01", 1, 1.0)], [("soon", 2, 2.0)], [("2026-01-03", 3, 3.0)]])
    plan = plan.model_copy(update={"column_types": ("date32[day]",)})

    said = [write_piece(store, plan, number, part) for number, part in enumerate(parts, 1)]

    assert said == [True, False, True]
    assert not store.keys(parts[1] + ".")
    assert not join_pieces(store, parts, "joined")
    assert "joined" not in store.objects


def test_pieces_of_other_columns_are_not_joined() -> None:
    store, plan, parts = filled([[("a", 1, 1.0)], [("b", 2, 2.0)]])
    write_piece(store, plan, 1, parts[0])
    write_piece(store, plan.model_copy(update={"result_columns": ("status",)}), 2, parts[1])

    assert not join_pieces(store, parts, "joined")


def test_a_job_of_large_shards_gets_its_parquet_result_from_their_pieces() -> None:
    shards = tuple(tuple(f"{shard}-{number}" for number in range(10_000)) for shard in (1, 2))
    job = Pipeline(shards=shards, output_format="parquet")
    for shard in (2, 1):
        job.submit(Attempt(JOB, 1, shard))
        job.end_batch(job.provider.last.batch_id)
        job.collect(Attempt(JOB, 1, shard))

    content = job.store.get(job.plan.result_key)
    table = pq.read_table(io.BytesIO(content))
    parts = [key for key in job.store.objects if key.endswith(".rows")]

    assert len(parts) == 2
    assert content == written_again(content)
    assert table.num_rows == 20_000
    assert set(table["status"].to_pylist()) == {"answered"}
    write_parquet_result(job.store, job.plan, sorted(key.removesuffix(".rows") for key in parts), "at once")
    assert table.equals(pq.read_table(io.BytesIO(job.store.get("at once"))))


def test_a_footer_of_every_type_comes_back_as_it_was() -> None:
    content = io.BytesIO()
    table = pa.table({
        "t": pa.array([True, None, False]), "n": [1.5, None, -0.0], "l": [[1], [], None], "s": [{"a": "x"}] * 3,
        "b": [b"\x00\xff", b"", None],
    })  # fmt: skip
    pq.write_table(table, content, write_page_index=True, compression="zstd")
    file = content.getvalue()
    size = int.from_bytes(file[-8:-4], "little")
    footer = file[-8 - size : -8]

    assert render_struct(parse_struct(footer)) == footer
    assert file.endswith(footer_end(footer))
    for end in range(0, size - 1, 7):
        with pytest.raises(ValueError, match="ends too soon"):
            parse_struct(footer[:end])
