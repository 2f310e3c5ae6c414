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
from shared.bucket.records.plan import Plan
from shared.formats.tables.parquet_footer import footer_end
from shared.formats.tables.thrift import parse_struct, render_struct
from shared.ports.clock import no_pause
from shared.ports.profile import EMBEDDINGS
from shared.results.tables import parquet_pieces
from shared.results.tables.parquet_pieces import join_pieces, write_piece, write_result
from shared.results.tables.parquet_result import write_parquet_result
from tests.support.builders import JOB, plan_job
from tests.support.fakes import FixedClock, MemoryStore
from tests.support.functions import OVERDUE
from tests.support.kills import invocations_of, one_piece
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
        write_piece(store, plan, number, part)
    assert join_pieces(store, parts, "joined")
    write_parquet_result(store, plan, parts, "at once")

    joined = store.get("joined")
    assert joined == written_again(joined)
    assert pq.ParquetFile(io.BytesIO(joined)).num_row_groups == len(parts)
    assert pq.read_table(io.BytesIO(joined)).equals(pq.read_table(io.BytesIO(store.get("at once"))))


def unlike(vectors: Sequence[Any]) -> tuple[MemoryStore, Plan, list[str]]:
    """A job of large shards by its plan, of small ones in truth, so that a test takes no time.

    One shard has a value that is no date; the vectors of each are given.
    """
    dates = ("2026-01-01", "soon", "2026-01-03", "2026-01-04")[: len(vectors)]
    store, plan, parts = filled([[(date, 1, 1.0), ("2026-02-01", 2, 2.0)] for date in dates])
    shards = tuple(plan.shards[0].model_copy(update={"shard": number}) for number in range(1, len(dates) + 1))
    changes = {"endpoint": EMBEDDINGS, "column_types": ("date32[day]",), "shards": shards, "rows": 10**6}
    plan = plan.model_copy(update=changes | {"result_columns": ("status", "total_tokens", "content")})
    for part, vector in zip(parts, vectors, strict=True):
        lines = [json.loads(line) for line in store.get(part).split()]
        made = [
            {**line, "content": vector, "score": score} for line in lines for score in [line.pop("score")]
        ]
        store.put(part, "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in made).encode())
    return store, plan, parts


VECTORS = {
    "alike": ([1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]),
    "of two sizes": ([1.0, 2.0], [3.0, 4.0], [5.0, 6.0, 7.0], [7.0, 8.0]),
    "none in some": (None, [3.0, 4.0], None, [7.0, 8.0]),
    "none at all": (None, None, None, None),
}


@pytest.mark.parametrize("vectors", VECTORS)
def test_pieces_with_other_columns_are_made_alike_whoever_is_killed_or_out_of_time(vectors: str) -> None:
    """Each invocation has time for one piece, and each is killed once at each of its calls."""
    store, plan, parts = unlike(VECTORS[vectors])
    undisturbed, _, _ = unlike(VECTORS[vectors])
    for number, part in enumerate(parts, 1):
        write_piece(store, plan, number, part)
        write_piece(undisturbed, plan, number, part)
    write_result(undisturbed, plan, parts, "result", no_pause)

    turns = invocations_of(store, lambda: write_result(store, plan, parts, "result", one_piece))

    write_parquet_result(store, plan, parts, "at once")
    result, at_once = (pq.read_table(io.BytesIO(store.get(key))) for key in ("result", "at once"))
    assert turns > 2
    assert result.equals(at_once)
    assert store.get("result") == undisturbed.get("result")
    assert store.objects.keys() - {"at once"} == undisturbed.objects.keys()


@pytest.mark.parametrize("others", [(1,), (0, 2), (0, 1, 2)])
def test_pieces_that_another_version_described_in_other_words_are_written_again_in_turns(
    others: Sequence[int],
) -> None:
    """All at once, they would take longer than a function may run."""
    store, plan, parts = unlike(VECTORS["alike"])
    for number, part in enumerate(parts, 1):
        write_piece(store, plan, number, part)
    for number in others:
        describe_otherwise(store, f"{parts[number]}.footer")
    write_parquet_result(store, plan, parts, "at once")

    turns = invocations_of(store, lambda: write_result(store, plan, parts, "result", one_piece))

    result, at_once = (pq.ParquetFile(io.BytesIO(store.get(key))) for key in ("result", "at once"))
    assert turns > 2
    assert (result.num_row_groups, at_once.num_row_groups) == (4, 1)
    assert result.read().equals(at_once.read())
    made = [key for key in store.objects if key.startswith(f"{parts[1]}.") and key.endswith(".rows")]
    assert len(made) == (2 if 1 in others else 1), "its columns are those that all others get"


def describe_otherwise(store: MemoryStore, key: str) -> None:
    footer = parse_struct(store.get(key)[8:])
    footer[5][1][1].append({1: (8, b"another"), 2: (8, b"version")})
    store.put(key, store.get(key)[:8] + render_struct(footer))


def test_where_an_older_version_left_no_pieces_they_are_made() -> None:
    store, plan, parts = unlike(VECTORS["none in some"])

    write_result(store, plan, parts, "result", no_pause)

    write_parquet_result(store, plan, parts, "at once")
    made, at_once = (pq.read_table(io.BytesIO(store.get(key))) for key in ("result", "at once"))
    assert made.equals(at_once)


def test_pieces_of_other_columns_are_not_joined() -> None:
    store, plan, parts = filled([[("a", 1, 1.0)], [("b", 2, 2.0)]])
    write_piece(store, plan, 1, parts[0])
    write_piece(store, plan.model_copy(update={"result_columns": ("status",)}), 2, parts[1])

    assert not join_pieces(store, parts, "joined")


@pytest.fixture
def large_shards(monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    """A job of two, of which the second has its batch's end still to be heard of."""
    monkeypatch.setattr(parquet_pieces, "_LEAST_ROWS", 1)
    shards = tuple(tuple(f"{shard}-{number}" for number in range(20)) for shard in (1, 2))
    job = Pipeline(shards=shards, output_format="parquet")
    for shard in (2, 1):
        job.submit(Attempt(JOB, 1, shard))
        job.end_batch(job.provider.last.batch_id)
        if shard == 2:
            job.collect(Attempt(JOB, 1, shard))
    return job


def test_a_job_of_large_shards_gets_its_parquet_result_from_their_pieces(large_shards: Pipeline) -> None:
    job = large_shards
    job.collect(Attempt(JOB, 1, 1))

    content = job.store.get(job.plan.result_key)
    table = pq.read_table(io.BytesIO(content))
    parts = [key for key in job.store.objects if key.endswith(".rows")]

    assert len(parts) == 2
    assert content == written_again(content)
    assert table.num_rows == 40
    assert set(table["status"].to_pylist()) == {"answered"}
    write_parquet_result(job.store, job.plan, sorted(key.removesuffix(".rows") for key in parts), "at once")
    assert table.equals(pq.read_table(io.BytesIO(job.store.get("at once"))))


def forget_pieces(job: Pipeline) -> None:
    """As an older version left its shards."""
    for key in [key for key in job.store.objects if key.endswith(".footer")]:
        job.store.delete(key)


def test_a_closing_whose_time_is_over_is_gone_on_with_when_the_timer_puts_its_ticket_again(
    large_shards: Pipeline,
) -> None:
    job = large_shards
    job.functions.pause = one_piece
    forget_pieces(job)

    said = job.collect(Attempt(JOB, 1, 1))

    assert said == "closing"
    assert job.plan.result_key not in job.store.objects
    job.events.clear()
    job.tick(after=OVERDUE.finished)
    assert job.deliver() == ["final"]
    assert pq.read_table(io.BytesIO(job.store.get(job.plan.result_key))).num_rows == 40
    assert not job.store.keys("finished/")


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
