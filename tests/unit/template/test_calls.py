"""What a job calls, as functions/README.md has it in a table."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

from scripts.template.check import ROOT
from shared.bucket.keys import Stage
from shared.events.oss import UploadedObject
from tests.support.builders import attempt
from tests.support.functions import BUCKET_NAME
from tests.support.pipeline import Harness, Pipeline

# By the fakes' names of calls, what OSS bills alike; deletes it does not bill.
_BILLED = {
    "put": ("put", "create", "write", "concatenate", "list", "look"),
    "get": ("get", "read", "head"),
    "delete": ("delete",),
}
_KIND = {name: kind for kind, names in _BILLED.items() for name in names}


def counted(bench: Harness, act: Callable[[], object]) -> Counter[str]:
    """How many calls of each kind it makes."""
    kinds: list[str] = []
    bench.store.before = lambda what, _key: kinds.append(_KIND[what])
    bench.provider.before = lambda _what, _about: kinds.append("provider")
    act()
    bench.store.before = bench.provider.before = None
    return Counter(kinds)


def validated(rows: int) -> Counter[str]:
    bench = Harness()
    body = {"model": "qwen-flash", "messages": [{"role": "user", "content": "hi"}]}
    line = {"method": "POST", "url": "/v1/chat/completions", "body": body}
    lines = (json.dumps({"custom_id": str(number), **line}) + "\n" for number in range(rows))
    bench.store.put("inbox/a.jsonl", "".join(lines).encode())
    head = bench.store.head("inbox/a.jsonl")
    assert head is not None
    upload = UploadedObject(BUCKET_NAME, head.key, head.etag)
    calls = counted(bench, lambda: bench.functions.validate(upload, "run-1"))
    assert len(bench.attempts(Stage.READY)) == -(-rows // 50_000)
    return calls


def of_shards() -> dict[str, Counter[str]]:
    job = Pipeline(shards=(("a",), ("b",), ("c",)))
    units = [attempt(shard=number) for number in (1, 2, 3)]
    calls = {"submit: a shard": [counted(job, lambda unit=unit: job.submit(unit)) for unit in units][-1]}
    job.functions.reconcile()  # which also sweeps files, every few hours
    job.clock.advance(timedelta(minutes=10))
    polled = counted(job, job.functions.reconcile)
    for batch_id in list(job.provider.unfinished()):
        job.end_batch(batch_id)
    collected = [counted(job, lambda unit=unit: job.collect(unit)) for unit in units]
    assert job.statuses() == ["answered"] * 3
    return {
        **calls,
        "reconcile: three batches that are not done": polled,
        "collect: a shard": collected[1],
        "collect: the last of three, and the result": collected[2],
    }


def test_the_table_of_calls_is_what_the_functions_call() -> None:
    one, two = validated(1), validated(50_001)
    rows = {
        "validate: a JSONL file of one shard": one,
        "validate: each further shard": two - one,
        **of_shards(),
    }
    page = (ROOT / "functions" / "README.md").read_text(encoding="utf-8")

    table = [
        f"| {what} | {calls['put']} | {calls['get']} | {calls['delete']} | {calls['provider']} |"
        for what, calls in rows.items()
    ]

    assert [line for line in table if line not in page.split("\n")] == []
