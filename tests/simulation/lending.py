"""Which shard asks for a row, and whether a job asks anything in more shards than it needs to."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator

from shared.bucket.records.plan import Plan
from tests.simulation.expected import batches_by_attempt
from tests.simulation.pipeline import Pipeline


def shard_that_asks(pipeline: Pipeline, plan: Plan) -> Callable[[int, str], int]:
    """By a row's shard and text: that shard, or the first one before it that asks the same."""
    asked = {
        each.shard: {*_texts(pipeline.bucket.objects.get(each.requests_key, b""))} for each in plan.shards
    }

    def find(shard: int, text: str) -> int:
        if text in asked[shard]:
            return shard
        return next((each for each in range(1, shard) if text in asked[each]), shard)

    return find


def _texts(requests: bytes) -> Iterator[str]:
    for line in requests.splitlines():
        messages = json.loads(line)["body"].get("messages")
        yield messages[-1]["content"] if messages else ""


def asked_in_two_shards(pipeline: Pipeline, plan: Plan) -> Iterator[str]:
    """The run's tables are too short for any question to be forgotten."""
    shards: dict[str, set[int]] = defaultdict(set)
    for attempt, batches in batches_by_attempt(pipeline).items():
        if attempt.job_id != plan.job_id or attempt.number > 1:
            continue
        for batch in batches:
            for text in batch.texts.values():
                shards[text].add(attempt.shard)
    yield from (
        f"job {plan.job_id} asks {text!r} in the shards {sorted(each)}"
        for text, each in shards.items()
        if len(each) > 1
    )
