"""One file from the inbox to its result, over ports in memory."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from shared.bucket.attempt import Attempt, JobId
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.records.plan import Plan
from shared.events.oss import UploadedObject
from tests.support.fake_provider import Answer, ScriptedProvider, echo, result_line
from tests.support.fakes import FixedClock, MemoryStore
from tests.support.functions import BUCKET_NAME, Functions

PROMPT = "model: qwen-plus\nprompt: '{{ row[\"a\"] }}'\n"


def run_job(
    name: str, content: bytes, recipe: str, answer: Answer = echo, store: MemoryStore | None = None
) -> tuple[MemoryStore, Plan]:
    """Drop the recipe and the file, and answer every batch until the job is closed."""
    clock = FixedClock()
    if store is None:
        store = MemoryStore(clock)
    else:  # later than what was dropped there before
        clock = store._clock  # type: ignore[assignment]
        clock.advance(timedelta(minutes=1))
    provider = ScriptedProvider(clock)
    functions = Functions(store, provider, clock)
    store.put("inbox/batch.yaml", recipe.encode())
    store.put(f"inbox/{name}", content)
    head = store.head(f"inbox/{name}")
    assert head is not None
    said = functions.validate(UploadedObject(BUCKET_NAME, head.key, head.etag), "run")
    reports = [text.decode() for key, text in store.objects.items() if key.endswith(".report.txt")]
    assert said == "planned", reports
    plan = next(
        plan
        for key in list(store.objects)
        if key.endswith("/plan.json")
        and (plan := BucketRecords(store).find_plan(JobId(key.split("/")[-2])))
        and (plan.source.etag, plan.source.dropped_at) == (head.etag, head.modified_at)
    )
    for shard in plan.shards:
        attempt = Attempt(JobId(plan.job_id), 1, shard.shard)
        functions.submit(attempt)
        provider.answer_all(provider.last.batch_id, answer=answer)
        BucketRecords(store).put_finished(attempt, "test")
        functions.collect(attempt, "run")
    return store, plan


def says(content: str, **usage: int) -> Answer:
    """Every request gets this answer."""

    def answer(line: dict[str, Any]) -> dict[str, Any]:
        said = result_line(line["custom_id"], content=content)
        said["response"]["body"]["usage"] = usage
        return said

    return answer
