"""What a folder's people are to do stands above their files: quotes, and refused approvals."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.bucket.history import duration_s_in
from shared.bucket.keys import JOBS
from shared.pipeline.page.files.file_job import JobState
from shared.pipeline.page.files.list_files import Listed, ListFiles
from shared.pipeline.page.files.list_side_by_side import SideBySide
from shared.pipeline.page.files.look_at_file import LookAtFile
from tests.support.functions import BUCKET_NAME
from tests.support.scripted_lane import ScriptedLane, answers
from tests.unit.pipeline.quotes.test_approvals import ALWAYS, BOUNDED, KEY, TABLE, Bench

WRONG = b"000000000000"


def listed(bench: Bench, folder: str = "a/", limit: int = 100) -> Listed:
    look = LookAtFile(bench.store, bench.clock, BUCKET_NAME)
    return ListFiles(look, SideBySide())(folder, 0, limit)


def to_approve(bench: Bench, folder: str = "a/", limit: int = 100) -> list[str]:
    return [job.key for job in listed(bench, folder, limit).to_approve]


def show(bench: Bench) -> None:
    bench.functions.write_board({}, timedelta(minutes=1))


@pytest.mark.parametrize("is_on_board", [True, False])
def test_a_job_that_waits_is_to_be_approved(*, is_on_board: bool) -> None:
    bench = Bench()
    if is_on_board:
        show(bench)

    assert (to_approve(bench), to_approve(bench, "b/")) == ([KEY], [])
    bench.approve()
    assert to_approve(bench) == []


def test_it_stands_there_on_whatever_page_it_is() -> None:
    bench = Bench()
    show(bench)
    for number in range(3):
        bench.clock.advance(timedelta(minutes=1))
        bench.store.put(f"inbox/a/{number}.csv", b"")

    found = listed(bench, limit=1)

    assert [job.key for job in found.jobs] == ["inbox/a/2.csv"]
    assert [job.key for job in found.to_approve] == [KEY]


def test_without_its_file_it_can_be_approved_still() -> None:
    bench = Bench()
    show(bench)
    bench.store.delete(KEY)

    assert to_approve(bench) == [KEY]


def test_what_was_replaced_is_not_to_be_approved() -> None:
    bench = Bench()
    show(bench)

    bench.drop(KEY, b"another\nx\n")  # which is refused

    assert to_approve(bench) == []
    (job,) = listed(bench).jobs
    assert job.state is JobState.REFUSED


def test_a_refused_approval_is_shown_while_its_job_waits() -> None:
    bench = Bench()
    bench.drop(f"{KEY}.approve", WRONG)

    (refused,) = listed(bench).refused

    assert (refused.key, "000000000000" in refused.zh, "000000000000" in refused.en) == (
        f"{KEY}.approve",
        True,
        True,
    )
    assert listed(bench, "b/").refused == []
    bench.drop(f"{KEY}.approve", bench.digest.encode())
    assert listed(bench).refused == []


def test_an_approval_without_a_file_is_shown_for_a_day() -> None:
    bench = Bench()
    bench.drop("inbox/a/other.csv.approve", WRONG)

    (refused,) = listed(bench).refused
    bench.clock.advance(timedelta(days=2))

    assert "other.csv" in refused.en
    assert listed(bench).refused == []


def test_an_approval_of_what_runs_already_is_no_news() -> None:
    bench = Bench()
    bench.drop(f"{KEY}.approve", WRONG)
    bench.approve()

    assert listed(bench).refused == []


def test_sampled_rows_of_a_job_that_waits_are_answered() -> None:
    bench = Bench(BOUNDED, b"name\nZoe\n")
    bench.functions.real_time = ScriptedLane(answers("yes"))
    bench.store.put("inbox/batch.yaml", f"{BOUNDED}price: {{approve: always, sample: 2}}\n".encode())
    bench.drop(KEY, b"name\nAda\nBo\nCy\n")

    (job,) = listed(bench).to_approve

    assert (job.answered, job.rows) == (2, 3)


def test_how_long_people_took_to_approve_is_no_part_of_how_long_jobs_take() -> None:
    bench = Bench()
    bench.clock.advance(timedelta(hours=5))
    bench.approve()
    bench.finish()

    (took,) = bench.store.keys(f"{JOBS}history/")

    assert (duration_s_in(took) or 0) < 3600


def test_what_waits_says_nothing_of_how_long_such_jobs_take() -> None:
    bench = Bench(BOUNDED)
    for name in (b"Di", b"Ed", b"Flo"):
        bench.finish()
        bench.drop(KEY, b"name\n" + name + b"\n")
    bench.finish()
    bench.store.put("inbox/batch.yaml", ALWAYS.encode())
    bench.drop(KEY, TABLE)

    (job,) = listed(bench).to_approve

    assert job.estimate is None
