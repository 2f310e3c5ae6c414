from __future__ import annotations

import json
from datetime import timedelta

import pytest

from shared.board.model import Board
from shared.board.write import HELD_UP, MAX_JOBS
from shared.bucket.attempt import Attempt, JobId
from shared.bucket.keys import BOARD, Stage, open_job_key, ticket_key
from shared.bucket.tickets import ReadyTicket, RunningTicket, WaitingFor
from shared.ports.provider import BatchStatus
from shared.problems.exceptions import TransientError
from tests.support.builders import JOB, attempt
from tests.support.pipeline import Pipeline


def written(job: Pipeline, repairs: dict[str, int] | None = None) -> Board:
    job.functions.write_board(repairs or {}, timedelta(seconds=15))
    return Board.model_validate_json(job.store.get(BOARD))


def test_every_open_job_is_shown_with_its_shards_by_state() -> None:
    job = Pipeline(shards=(("a",), ("b",), ("c",), ("d",)))
    for shard in (1, 2, 3):
        job.submit(attempt(shard=shard))
    job.provider.answer_all(job.provider.submissions[0].batch_id)
    job.records.put_finished(attempt(), "callback")
    job.collect(attempt())
    job.records.put_finished(attempt(shard=2), "callback")

    board = written(job, {"running": 2})

    (shown,) = board.jobs
    assert (shown.job_id, shown.source_key, shown.rows, shown.shards) == (JOB, "inbox/a/names.csv", 4, 4)
    assert shown.by_state == {"settled": 1, "finished": 1, "running": 1, "ready": 1}
    assert shown.batches == (job.provider.submissions[2].batch_id,)
    assert shown.deadline_at is None  # one shard is not sent yet
    assert (board.open_jobs, board.more_jobs, board.repairs) == (1, 0, {"running": 2})
    assert (shown.cancelled, shown.retry_of) == (False, None)


def test_the_deadline_of_a_job_is_that_of_its_last_batch() -> None:
    job = Pipeline(shards=(("a",), ("b",)))
    job.submit(attempt(shard=1))
    job.clock.advance(timedelta(hours=5))
    job.submit(attempt(shard=2))

    (shown,) = written(job).jobs

    assert shown.deadline_at == job.clock.now() + timedelta(hours=48)


def test_a_closed_job_is_not_open() -> None:
    job = Pipeline()
    job.cancel()
    assert written(job).jobs[0].cancelled

    job.drain()

    assert written(job).jobs == ()


def test_a_ticket_that_waits_for_somebody_says_for_whom_and_since_when(
    caplog: pytest.LogCaptureFixture,
) -> None:
    job = Pipeline(shards=(("a",), ("b",), ("c",)))
    since = job.clock.now()
    job.clock.advance(timedelta(hours=1))
    reason = WaitingFor(code="no_money", message="请充值。Top up the account.", since=since)
    job.store.put(ticket_key(Stage.READY, attempt()), ReadyTicket(waiting_for=reason).to_bytes())
    later = job.clock.now() + timedelta(minutes=5)
    job.records.put_ready(attempt(shard=2), later)
    now = job.clock.now()
    running = RunningTicket(batch_id="b", submitted_at=now, deadline_at=now, waiting_for=reason)
    job.store.delete(ticket_key(Stage.READY, attempt(shard=3)))
    job.records.put_running(attempt(shard=3), running)

    (shown,) = written(job).jobs

    assert shown.by_state == {"waiting": 2, "running": 1}
    assert shown.waiting_for == reason
    assert shown.waiting_since == since
    (told,) = [vars(each) for each in caplog.records if each.message == HELD_UP]
    assert (told["jobs"], told["codes"], told["since"]) == (1, ["no_money"], since.isoformat())


def test_jobs_that_wait_longest_come_first_and_those_beyond_the_bound_are_counted() -> None:
    job = Pipeline()
    for number in range(MAX_JOBS + 5):
        other = JobId(f"{number:016x}")
        plan = job.plan.model_copy(update={"job_id": other})
        job.store.put(f"jobs/{other}/plan.json", plan.to_bytes())
        job.clock.advance(timedelta(seconds=1))
        job.records.put_ready(Attempt(other, 1, 1))

    board = written(job)

    assert [each.job_id for each in board.jobs[:3]] == [JOB, f"{0:016x}", f"{1:016x}"]
    assert (board.open_jobs, len(board.jobs), board.more_jobs) == (MAX_JOBS + 6, MAX_JOBS, 6)


def test_ten_thousand_tickets_cost_a_few_reads_a_job() -> None:
    job = Pipeline()
    for number in range(10):
        other = JobId(f"{number:016x}")
        job.store.put(f"jobs/{other}/plan.json", job.plan.model_copy(update={"job_id": other}).to_bytes())
        for shard in range(1, 1001):
            job.records.put_ready(Attempt(other, 1, shard))
    calls: list[str] = []
    job.store.before = lambda what, _key: calls.append(what)

    board = written(job)

    assert board.open_jobs == 11
    assert board.jobs[1].by_state == {"ready": 1000}
    assert len(calls) <= 4 + 11 * 24 + 2 + 1, "the last is this test's own look"


def test_what_it_has_no_time_for_is_counted_only() -> None:
    job = Pipeline()

    job.functions.write_board({}, timedelta(seconds=-1))

    board = Board.model_validate_json(job.store.get(BOARD))
    assert (board.open_jobs, board.jobs, board.more_jobs) == (1, (), 1)


def test_repairs_of_the_last_day_are_added_up() -> None:
    job = Pipeline()
    written(job, {"ready": 1})
    job.clock.advance(timedelta(hours=2))
    written(job, {"ready": 2, "inbox": 1})

    assert written(job).repairs_24h == {"inbox": 1, "ready": 3}
    job.clock.advance(timedelta(hours=22))
    assert written(job).repairs_24h == {"inbox": 1, "ready": 2}
    assert written(job).repairs == {}


def test_a_board_that_somebody_spoilt_is_written_again_and_decides_nothing() -> None:
    job = Pipeline()
    job.store.put(BOARD, b'{"jobs": 1')

    assert written(job, {"ready": 1}).repairs_24h == {"ready": 1}


def test_tickets_of_no_job_and_files_among_them_are_passed_over() -> None:
    job = Pipeline()
    job.records.put_finished(Attempt(JobId("f" * 16), 1, 1), "forged")
    job.store.put("ready/notes.txt", b"x")

    board = written(job)

    assert [each.job_id for each in board.jobs] == [JOB]


def test_a_job_that_has_lost_its_tickets_is_open_all_the_same() -> None:
    job = Pipeline()
    job.store.delete(ticket_key(Stage.READY, attempt()))
    job.store.put(open_job_key(JOB), b"")
    job.store.put(open_job_key(JobId("f" * 16)), b"")  # was never planned

    board = written(job)

    (shown,) = board.jobs
    assert (shown.by_state, shown.waiting_since) == ({}, job.clock.now())
    assert (board.open_jobs, board.more_jobs) == (1, 0)


def test_a_store_that_is_down_only_costs_the_board(caplog: pytest.LogCaptureFixture) -> None:
    job = Pipeline()

    def is_down(_what: str, _key: str) -> None:
        raise TransientError("503")

    job.store.before = is_down
    job.functions.write_board({}, timedelta(seconds=1))

    assert [record.message for record in caplog.records] == ["board.not_written"]


def test_a_retry_says_whose_it_is() -> None:
    job = Pipeline()
    job.submit(attempt())
    job.provider.set_state(job.provider.last.batch_id, BatchStatus.CANCELLED)
    job.drain()
    job.retry()

    (shown,) = written(job).jobs

    assert shown.retry_of == JOB
    assert json.loads(job.store.get(BOARD))["jobs"][0]["retry_of"] == JOB
