"""A job's result columns stand in one table and are fixed by its plan, in every format."""

from __future__ import annotations

import csv
import io
import json

import pyarrow.parquet as pq
import pytest

from shared.bucket.attempt import JobId, retry_job_id_for
from shared.bucket.keys import record_key
from shared.bucket.records.outcome import Outcome
from shared.bucket.records.plan import Plan
from shared.pipeline.jobs.retry_job import RetryJob
from shared.ports.provider import BatchStatus
from shared.results.columns import COLUMNS, REQUEST_COLUMNS, TABLE_COLUMNS, Answer, ResultColumns, RowStatus
from tests.support.builders import JOB, answered_line, refused_line
from tests.support.collecting import Bench

FEWER = {
    "recipe_csv": ("status", "content", "total_tokens", "error_code"),
    "request_jsonl": ("custom_id", "status_code", "error_code", "content", "usage"),
}
KINDS = pytest.mark.parametrize("kind", FEWER)
FORMATS = pytest.mark.parametrize("output_format", ["csv", "jsonl", "parquet"])


def planned(kind: str, output_format: str, columns: tuple[str, ...]) -> Bench:
    bench = Bench(shards=(("a", "b"), ("c",)), kind=kind, output_format=output_format)
    bench.plan = bench.plan.model_copy(update={"result_columns": columns})
    bench.store.put(record_key(JOB, "plan.json"), bench.plan.to_bytes())
    return bench


def collected(bench: Bench) -> list[dict[str, object]]:
    """The rows of the result; ``b`` is refused, the others are answered."""
    for shard, lines in ((2, [answered_line("c", "C")]), (1, [answered_line("a", "A"), refused_line("b")])):
        bench.end(bench.submitted(shard=shard), BatchStatus.COMPLETED, lines)
        bench.heard(shard=shard)
    content = bench.store.get(bench.plan.result_key)
    if bench.plan.output_format == "parquet":
        rows: list[dict[str, object]] = pq.read_table(io.BytesIO(content)).to_pylist()
        return rows
    text = content.decode("utf-8-sig")
    if bench.plan.output_format == "jsonl":
        return [json.loads(line) for line in text.split("\n")[:-1]]
    return [*csv.DictReader(io.StringIO(text, newline=""))]


@KINDS
@FORMATS
def test_a_plan_with_fewer_columns_gets_only_these(kind: str, output_format: str) -> None:
    rows = collected(planned(kind, output_format, FEWER[kind]))

    own = ["name"] if kind == "recipe_csv" else []
    assert [list(row) for row in rows] == [[*own, *FEWER[kind]]] * 3
    assert [row["content"] for row in rows] == ["A", "", "C"]
    assert [row["error_code"] for row in rows] == ["", "InvalidParameter", ""]
    number = "total_tokens" if kind == "recipe_csv" else "status_code"
    value = 5 if kind == "recipe_csv" else 200
    nothing = None if output_format != "csv" else ""
    assert [row[number] for row in rows] == (
        [str(value), nothing, str(value)] if output_format == "csv" else [value, nothing, value]
    )


@KINDS
@FORMATS
def test_a_column_of_a_newer_version_stays_empty_after_a_roll_back(kind: str, output_format: str) -> None:
    rows = collected(planned(kind, output_format, (*FEWER[kind][:2], "mood", *FEWER[kind][2:])))

    assert [row["mood"] for row in rows] == [""] * 3
    assert [row["content"] for row in rows] == ["A", "", "C"]


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        (
            "recipe_csv",
            (
                "status content reasoning_content model finish_reason prompt_tokens completion_tokens "
                "total_tokens request_id created error_code error_message"
            ),
        ),
        (
            "request_jsonl",
            (
                "custom_id model request_id status_code error_code error_message created content usage "
                "reasoning_content"
            ),
        ),
    ],
)
@FORMATS
def test_a_plan_of_an_older_version_means_the_columns_of_its_time(
    kind: str, output_format: str, names: str
) -> None:
    bench = planned(kind, output_format, ())
    old = json.loads(bench.plan.to_bytes())
    del old["result_columns"]
    bench.store.put(record_key(JOB, "plan.json"), json.dumps(old).encode())

    rows = collected(bench)

    own = ["name"] if kind == "recipe_csv" else []
    assert [list(row) for row in rows] == [[*own, *names.split()]] * 3


@KINDS
@FORMATS
def test_a_retry_keeps_the_columns_of_the_job_it_repeats(kind: str, output_format: str) -> None:
    bench = planned(kind, output_format, FEWER[kind])
    collected(bench)

    RetryJob(bench.store, bench.clock, "retry")(bench.plan)

    job_id = retry_job_id_for(JOB)
    plan = Plan.model_validate_json(bench.store.get(record_key(JobId(job_id), "plan.json")))
    assert plan.result_columns == FEWER[kind]
    outcomes = [
        Outcome.model_validate_json(bench.store.get(head.key))
        for head in bench.store.list(f"jobs/{job_id}/")
        if head.key.endswith("outcome.json")
    ]
    assert sorted((each.kind, each.settled) for each in outcomes) == [("final", 1), ("resend", 1)]


@pytest.mark.parametrize(("place", "names"), [("table", TABLE_COLUMNS), ("requests", REQUEST_COLUMNS)])
def test_no_two_columns_have_one_place(place: str, names: tuple[str, ...]) -> None:
    assert [getattr(COLUMNS[name], place) for name in names] == [*range(1, len(names) + 1)]


def test_one_column_alone_is_a_row_too() -> None:
    columns = ResultColumns("recipe_csv", ["content"])

    assert list(columns.values(Answer("a", RowStatus.ANSWERED, "A"))) == ["A"]
