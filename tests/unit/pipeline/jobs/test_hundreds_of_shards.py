"""A job of hundreds of shards: no step asks the bucket about each of them more than once."""

from __future__ import annotations

from collections import Counter

import pytest

from shared.bucket.attempt import Attempt
from shared.bucket.keys import Stage, open_job_key
from shared.pipeline.deadlines import LOOK_AFTER
from tests.support.builders import JOB
from tests.support.pipeline import Cut, Pipeline

SHARDS = 40


class Counted(Cut):
    """Counts the calls of one invocation, by what they do."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: Counter[str] = Counter()

    def call(self, what: str, _about: str) -> None:
        self.calls[what] += 1


@pytest.fixture
def job() -> Pipeline:
    return Pipeline(shards=tuple((f"row-{number}",) for number in range(SHARDS)))


def collected(job: Pipeline, shard: int) -> Counter[str]:
    """Submit a shard, answer it and collect it; what collect asked of the bucket."""
    attempt, counted = Attempt(JOB, 1, shard), Counted()
    job.submit(attempt)
    job.end_batch(job.provider.last.batch_id)
    job.collect(attempt, counted)
    return counted.calls


def test_a_collect_asks_as_little_for_the_last_shard_but_one_as_for_the_first(job: Pipeline) -> None:
    calls = [collected(job, shard) for shard in range(1, SHARDS)]

    assert set(map(frozenset, (each.items() for each in calls))) == {frozenset(calls[0].items())}
    assert calls[0]["list"] < SHARDS / 4


def test_the_last_collect_reads_each_settled_record_once(job: Pipeline) -> None:
    others = [collected(job, shard) for shard in range(1, SHARDS)]
    last = collected(job, SHARDS)

    assert len(job.rows()) == SHARDS
    assert SHARDS <= last["get"] - others[0]["get"] < SHARDS + 10


def test_the_timer_looks_through_a_running_job_with_a_few_listings(job: Pipeline) -> None:
    for attempt in job.attempts(Stage.READY):
        job.submit(attempt)
    counted = Counted()
    job.store.put(open_job_key(JOB), b"")
    job.clock.advance(LOOK_AFTER)
    with job._cut_by(counted):
        job.resume()

    assert job.attempts(Stage.READY) == []
    assert counted.calls["head"] == 0
    # The plan, and of each shard whether its ticket can be read.
    assert counted.calls["get"] == SHARDS + 1
    assert counted.calls["list"] < 5
