from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from shared.board.estimates import MAX_JOBS
from shared.board.model import Board, Estimate, OpenJob
from shared.bucket.attempt import Attempt, JobId
from shared.bucket.history import HISTORY
from shared.bucket.keys import BOARD, Stage, borrowing_key, settled_key, ticket_key
from shared.bucket.records.outcome import SettledShard
from shared.bucket.records.usage import Tokens
from shared.bucket.tickets import ReadyTicket, WaitingFor
from shared.ports.provider import BatchStatus, FailedFor
from tests.support.builders import JOB, answered_line, attempt, plan_job, refused_line
from tests.support.fake_provider import encoded, error_line
from tests.support.pipeline import Harness, Pipeline
from tests.unit.board.test_board import written


def shown(job: Pipeline) -> OpenJob:
    (shown,) = written(job).jobs
    return shown


def progress(job: Pipeline) -> tuple[int, int]:
    return shown(job).answered, shown(job).failed


def poll(job: Pipeline, completed: int | None, failed: int | None = 0) -> None:
    """Let the timer ask for the last batch, of which the provider says so much."""
    counts = {"requests_completed": completed, "requests_failed": failed}
    job.provider.set_state(job.provider.last.batch_id, BatchStatus.RUNNING, **counts)
    job.clock.advance(timedelta(hours=1))
    job.poll()


def test_what_the_provider_counts_is_shown_as_of_the_last_poll() -> None:
    job = Pipeline(shards=(("a", "b", "c", "d"),))
    assert (progress(job), shown(job).counted_at) == ((0, 0), None)
    job.submit(attempt())

    poll(job, 2, 1)
    counted_at = job.clock.now()
    job.clock.advance(timedelta(minutes=1))

    assert (progress(job), shown(job).counted_at) == ((2, 1), counted_at)
    assert (shown(job).model, shown(job).planned_at) == ("qwen-flash", job.plan.created_at)


def test_what_was_told_stands_while_the_provider_tells_nothing() -> None:
    job = Pipeline(shards=(("a", "b", "c", "d"),))
    job.submit(attempt())
    poll(job, None, None)
    assert (progress(job), shown(job).counted_at) == ((0, 0), None)

    poll(job, 2)
    counted_at = job.clock.now()
    poll(job, None, None)
    job.provider.hide(job.provider.last.batch_id)
    poll(job, 4)

    assert (progress(job), shown(job).counted_at) == ((2, 0), counted_at)


def test_a_batch_that_ended_is_counted_until_it_is_collected_and_while_it_is_waited_for() -> None:
    job = Pipeline(shards=(("a", "b", "c", "d"),))
    job.submit(attempt())
    poll(job, 3)

    job.records.put_finished(attempt(), "callback")
    assert progress(job) == (3, 0)
    job.cancel()
    job.collect(attempt())

    assert job.store.keys(Stage.FINISHED.value) == []
    assert progress(job) == (3, 0)


def test_no_shard_has_more_answers_than_rows_whatever_the_provider_counts() -> None:
    job = Pipeline(shards=(("a", "b"), ("c", "d", "e")))
    job.submit(attempt(shard=2))

    poll(job, 2, 9)
    assert progress(job) == (2, 1)

    poll(job, 1000, 1000)
    assert progress(job) == (3, 0)


def test_settled_shards_count_by_what_became_of_their_rows_and_are_read_once() -> None:
    job = Pipeline(shards=(("a", "b"), ("c", "d"), ("e",)))
    for shard in (1, 2):
        job.submit(attempt(shard=shard))
        batch_id = job.provider.last.batch_id
        lines = [answered_line("a"), refused_line("b")] if shard == 1 else map(answered_line, "cd")
        job.provider.set_results(batch_id, lines)
        # As Bailian counts rows that failed in the output file.
        job.provider.set_state(batch_id, BatchStatus.COMPLETED, requests_completed=2, requests_failed=0)
        job.records.put_finished(attempt(shard=shard), "callback")
        job.collect(attempt(shard=shard))
        assert progress(job) == ((1, 1) if shard == 1 else (3, 1))
    reads: list[str] = []
    job.store.before = lambda what, key: reads.append(key) if what == "get" else None

    assert progress(job) == (3, 1)
    assert [key for key in reads if "/settled/" in key] == []


def test_a_shard_that_borrowed_is_read_again_once_it_is_whole() -> None:
    job = Pipeline(shards=(("a", "b"), ("c", "d", "e"), ("f",)))
    settled = SettledShard(
        shard=2, attempt=1, part_key="", rows=1, by_status={"answered": 1}, tokens=Tokens(), batches=()
    )
    reads: list[str] = []
    job.store.before = lambda what, key: reads.append(key) if what == "get" and "/settled/" in key else None

    job.records.create(borrowing_key(JOB, 2), settled)
    assert [progress(job) for _ in "12"] == [(1, 0)] * 2
    whole = settled.model_copy(update={"by_status": {"answered": 2, "refused": 1}})
    job.records.create(settled_key(JOB, 2), whole)
    reads.clear()
    assert [progress(job) for _ in "12"] == [(2, 1)] * 2

    assert reads == [settled_key(JOB, 2)]


def test_rows_that_are_sent_again_are_added_to_those_that_have_their_answer() -> None:
    job = Pipeline(shards=(("a", "b", "c", "d"),), attempts=3)
    job.submit(attempt())
    batch_id = job.provider.last.batch_id
    job.provider.set_results(
        batch_id, [answered_line("a"), refused_line("b"), encoded(error_line("c", "Throttling"))]
    )
    job.provider.set_state(batch_id, BatchStatus.EXPIRED)
    job.records.put_finished(attempt(), "callback")
    job.collect(attempt())
    assert progress(job) == (1, 1)

    job.submit(attempt(number=2))
    poll(job, 1)
    assert progress(job) == (2, 1)

    quota = {"failed_for": FailedFor.QUOTA, "requests_completed": 0}
    job.provider.set_state(job.provider.last.batch_id, BatchStatus.FAILED, **quota)
    job.records.put_finished(attempt(number=2), "callback")
    job.collect(attempt(number=2))
    assert progress(job) == (1, 1)


def test_a_retry_begins_with_the_answers_of_its_job() -> None:
    job = Pipeline(shards=(("a", "b", "c"),), attempts=1)
    job.submit(attempt())
    job.provider.set_results(job.provider.last.batch_id, [answered_line("a"), answered_line("b")])
    job.provider.set_state(job.provider.last.batch_id, BatchStatus.CANCELLED)
    job.drain()
    job.retry()

    job.deliver()

    assert (shown(job).retry_of, shown(job).rows, progress(job)) == (JOB, 3, (2, 0))


# Estimates.


def open_job(bench: Harness, rows: int = 2, folder: str = "inbox/a", **plan: str) -> JobId:
    """One of a folder, like the others but for what is said."""
    job_id = JobId(f"{len(bench.store.keys('open/')) + len(bench.provider.batches):016x}")
    planned = plan_job(
        bench.store, bench.clock, [[f"r{row}" for row in range(rows)]], job_id=job_id, attempts=1, **plan
    )
    bench.store.put(f"jobs/{job_id}/plan.json", planned.of_file(f"{folder}/{job_id}.csv").to_bytes())
    return job_id


def close_job(bench: Harness, minutes: float, **job: Any) -> JobId:
    """One that has its result so long after its file was dropped."""
    job_id = open_job(bench, **job)
    bench.deliver()
    bench.clock.advance(timedelta(minutes=minutes))
    bench.end_batch(bench.provider.last.batch_id)
    bench.deliver()
    bench.clock.advance(timedelta(minutes=1))
    return job_id


def estimate(bench: Harness, **job: Any) -> Estimate | None:
    """That of a new job."""
    job_id = open_job(bench, **job)
    bench.functions.write_board({}, timedelta(seconds=15))
    board = Board.model_validate_json(bench.store.get(BOARD))
    return next(each.estimate for each in board.jobs if each.job_id == job_id)


def test_the_estimate_is_the_median_and_the_ninetieth_percentile_of_three_jobs_or_more() -> None:
    bench = Harness()
    for minutes in (30, 10):
        close_job(bench, minutes)
    assert estimate(bench) is None

    close_job(bench, 20)

    assert estimate(bench) == Estimate(typical_s=1200, slow_s=1680, jobs=3)


def test_the_newest_jobs_count() -> None:
    bench = Harness()
    for minutes in (*[60] * 5, *[10] * MAX_JOBS):
        close_job(bench, minutes)

    assert estimate(bench) == Estimate(typical_s=600, slow_s=600, jobs=MAX_JOBS)


@pytest.mark.parametrize(
    ("job", "is_alike"),
    [
        ({"rows": 9}, True),
        ({"rows": 10}, False),
        ({"folder": "inbox/a/b"}, False),
        ({"folder": "inbox/b"}, False),
        ({"model": "qwen-plus"}, False),
        ({"provider": "ark"}, False),
    ],
    ids=str,
)
def test_only_jobs_of_the_same_folder_provider_model_and_size_tell_anything(
    job: dict[str, Any], *, is_alike: bool
) -> None:
    bench = Harness()
    for _ in range(3):
        close_job(bench, 10)

    assert (estimate(bench, **job) is not None) is is_alike


def test_nobody_says_how_long_a_job_takes_that_waits_for_money_or_for_somebody() -> None:
    bench = Harness()
    for _ in range(3):
        close_job(bench, 10)
    job_id = open_job(bench)
    reason = WaitingFor(code="over_budget", message="…", since=bench.clock.now())
    bench.store.put(
        ticket_key(Stage.READY, Attempt(job_id, 1, 1)), ReadyTicket(waiting_for=reason).to_bytes()
    )

    bench.functions.write_board({}, timedelta(seconds=15))

    (shown,) = Board.model_validate_json(bench.store.get(BOARD)).jobs
    assert (shown.waiting_for, shown.estimate) == (reason, None)


def test_jobs_without_an_answer_cancelled_ones_and_retries_tell_nothing() -> None:
    job = Pipeline(shards=(("a", "b"),), attempts=1)
    job.submit(attempt())
    job.provider.set_results(job.provider.last.batch_id, [refused_line("a"), refused_line("b")])
    job.provider.set_state(job.provider.last.batch_id, BatchStatus.COMPLETED)
    job.drain()
    bench = Pipeline(shards=(("a",), ("b",)))
    bench.submit(attempt())
    bench.end_batch(bench.provider.last.batch_id)
    bench.cancel()
    bench.drain()
    assert bench.statuses() == ["answered", "cancelled"]
    bench.retry()
    bench.run_until_done()
    assert bench.statuses() == ["answered", "answered"]

    assert job.store.keys(HISTORY) == bench.store.keys(HISTORY) == []


def test_the_history_names_no_file_and_a_job_is_in_it_once() -> None:
    bench = Harness()
    job_id = close_job(bench, 10, folder="inbox/张三")
    (key,) = bench.store.keys(HISTORY)
    bench.store.delete(f"results/{job_id}.csv")

    bench.records.put_finished(Attempt(job_id, 1, 1), "upload")
    bench.deliver()

    assert bench.store.keys(HISTORY) == [key]
    assert re.fullmatch(rf"{HISTORY}[0-9a-f]{{32}}/bailian/[0-9a-f]{{32}}/0/[0-9]{{10}}-600-{job_id}", key)
    assert bench.store.get(key) == b""


def test_files_that_somebody_put_among_the_history_are_passed_over() -> None:
    bench = Harness()
    for _ in range(3):
        close_job(bench, 10)
    prefix = bench.store.keys(HISTORY)[0].rpartition("/")[0]
    bench.store.put(f"{prefix}/0000000000-notes.txt", b"")

    assert estimate(bench) == Estimate(typical_s=600, slow_s=600, jobs=3)


def test_one_listing_serves_all_jobs_alike() -> None:
    bench = Harness()
    for _ in range(3):
        close_job(bench, 10)
    for _ in range(10):
        open_job(bench)
    listed: list[str] = []
    bench.store.before = lambda what, key: listed.append(key) if what == "list" else None

    assert estimate(bench) is not None
    assert sum(key.startswith(HISTORY) for key in listed) == 1
