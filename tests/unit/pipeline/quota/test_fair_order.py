from __future__ import annotations

from datetime import timedelta

from shared.bucket.attempt import Attempt, JobId
from shared.pipeline.quota.fair_order import fair_order
from tests.support.fakes import START

HUGE, SMALL, OTHER = (JobId(letter * 16) for letter in "abc")


def shards(job: JobId, count: int, arrived_min: int) -> dict[Attempt, object]:
    return {Attempt(job, 1, n): START + timedelta(minutes=arrived_min) for n in range(1, count + 1)}


def test_equal_jobs_come_in_order_of_arrival() -> None:
    waiting = shards(SMALL, 1, 2) | shards(OTHER, 1, 1) | shards(HUGE, 1, 3)

    assert [attempt.job_id for attempt in fair_order(waiting, {})] == [OTHER, SMALL, HUGE]


def test_a_small_job_is_not_starved_behind_a_huge_one_that_came_before() -> None:
    waiting = shards(HUGE, 500, 0) | shards(SMALL, 1, 60)

    order = fair_order(waiting, {})

    assert [attempt.job_id for attempt in order[:3]] == [HUGE, SMALL, HUGE]


def test_what_a_job_has_in_flight_counts_as_having_come_before() -> None:
    waiting = shards(HUGE, 500, 0) | shards(SMALL, 3, 60)

    order = fair_order(waiting, {HUGE: 2})

    assert [attempt.job_id for attempt in order[:4]] == [SMALL, SMALL, HUGE, SMALL]


def test_two_huge_jobs_get_half_each() -> None:
    order = fair_order(shards(HUGE, 50, 0) | shards(OTHER, 50, 9), {})

    assert sum(attempt.job_id == HUGE for attempt in order[:40]) == 20


def test_the_shards_of_a_job_keep_their_order() -> None:
    order = fair_order(shards(HUGE, 50, 0), {})

    assert [attempt.shard for attempt in order] == list(range(1, 51))
