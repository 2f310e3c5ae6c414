"""Jobs, tickets and result lines for tests, with everything that does not matter filled in."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from pydantic import JsonValue

from shared.bucket.attempt import Attempt, JobId
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import draft_key, record_key
from shared.bucket.records.plan import Plan, PlannedShard, Source
from shared.ports.clock import Clock
from shared.ports.provider import BatchRequest
from shared.ports.store import ObjectStore
from shared.results.columns import Answer
from shared.results.formats import Rendering
from shared.results.kept_rows import OriginalRow

JOB = JobId("0123456789abcdef")


def attempt(number: int = 1, shard: int = 1) -> Attempt:
    return Attempt(JOB, number, shard)


def request_line(custom_id: str, content: str = "hello") -> bytes:
    body = {"model": "qwen-flash", "messages": [{"role": "user", "content": content}]}
    line = {"custom_id": custom_id, "method": "POST", "url": "/v1/chat/completions", "body": body}
    return json.dumps(line, ensure_ascii=False).encode() + b"\n"


def answered_line(custom_id: str, content: str = "fine") -> bytes:
    body = {
        "id": f"chatcmpl-{custom_id}",
        "created": 1776432582,
        "model": "qwen-flash",
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
        "choices": [
            {"finish_reason": "stop", "index": 0, "message": {"role": "assistant", "content": content}}
        ],
    }
    response = {"status_code": 200, "request_id": f"req-{custom_id}", "body": body}
    return json.dumps(
        {"id": "x", "custom_id": custom_id, "response": response, "error": None}, ensure_ascii=False
    ).encode()


def refused_line(custom_id: str, code: str = "InvalidParameter", message: str = "bad") -> bytes:
    error = {"code": code, "message": message}
    return json.dumps({"id": "x", "custom_id": custom_id, "response": None, "error": error}).encode()


def failed_in_output_line(custom_id: str, status_code: int, code: str = "Throttling") -> bytes:
    body = {"error": {"code": code, "message": "failed"}}
    response = {"status_code": status_code, "request_id": "r", "body": body}
    return json.dumps({"id": "x", "custom_id": custom_id, "response": response, "error": None}).encode()


def plan_job(
    store: ObjectStore,
    clock: Clock,
    shards: Sequence[Sequence[str]] = (("a", "b", "c"),),
    *,
    bad: Sequence[str] = (),
    attempts: int = 2,
    kind: str = "recipe_csv",
    encoding: str = "utf-8-sig",
    output_format: str = "csv",
    formula_guard: bool = True,
    columns: Mapping[str, JsonValue] | None = None,
    job_id: JobId = JOB,
    model: str = "qwen-flash",
    provider: str = "bailian",
) -> Plan:
    """Write the records and ``ready/`` tickets of a job whose rows have the given custom_ids."""
    planned = [_write_shard(store, job_id, number, ids, bad) for number, ids in enumerate(shards, 1)]
    plan = Plan(
        job_id=job_id,
        source=Source(bucket="drop", key="inbox/a/names.csv", etag="E", size_bytes=9, dropped_at=clock.now()),
        kind=kind,
        encoding="utf-8",
        delimiter=",",
        columns=("name",) if kind == "recipe_csv" else (),
        provider=provider,
        model=model,
        endpoint="/v1/chat/completions",
        completion_window=timedelta(hours=24),
        attempts=attempts,
        output_encoding=encoding,
        output_format=output_format,
        formula_guard=formula_guard,
        answer_columns=dict(columns or {}),
        result_key=f"results/a/names.{output_format}"
        if job_id == JOB
        else f"results/{job_id}.{output_format}",
        rows=sum(len(ids) for ids in shards),
        bad_rows=len(bad),
        shards=tuple(planned),
        created_at=clock.now(),
    )
    records = BucketRecords(store)
    records.create(record_key(job_id, "plan.json"), plan)
    for shard in planned:
        records.put_ready(Attempt(job_id, 1, shard.shard))
    return plan


def batch_request(store: ObjectStore, plan: Plan, attempt: Attempt) -> BatchRequest:
    """What submit hands to the provider."""
    key = plan.requests_key(attempt)
    return BatchRequest(
        name=attempt.batch_name,
        object_key=key,
        size_bytes=1,
        open_lines=lambda: store.read(key),
        endpoint=plan.endpoint,
        model=plan.model,
        completion_window=plan.completion_window,
        metadata={"batchdrop": str(attempt)},
    )


def _write_shard(
    store: ObjectStore, job_id: JobId, number: int, ids: Sequence[str], bad: Sequence[str]
) -> PlannedShard:
    good = [custom_id for custom_id in ids if custom_id not in bad]
    originals = [
        OriginalRow(each, (f"row {each}",), *(("ragged_row", "too long") if each in bad else ()))
        for each in ids
    ]
    rows_key = draft_key(job_id, "run-1", f"{number:05d}.rows.jsonl")
    requests_key = draft_key(job_id, "run-1", f"{number:05d}.requests.jsonl")
    requests = b"".join(request_line(each) for each in good)
    store.put(rows_key, b"".join(row.to_line() for row in originals))
    store.put(requests_key, requests)
    return PlannedShard(
        shard=number,
        rows=len(ids),
        requests=len(good),
        size_bytes=len(requests),
        rows_key=rows_key,
        requests_key=requests_key,
    )


def rendered_rows(
    rendering: Rendering, rows: Iterable[tuple[Sequence[str], Answer, Sequence[JsonValue]]]
) -> bytes:
    """Whole lines of a result, each of a file's own cells, an answer, and the answer's values."""
    lines = [rendering.row(cells, rendering.answer(answer, values)) for cells, answer, values in rows]
    return rendering.encode(b"".join(lines))
