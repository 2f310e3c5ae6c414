"""The page's list: what became of each file of a folder, in few requests however many there are."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from functions.page.shapes import job_json
from shared.board.model import OpenJob
from shared.bucket.attempt import JobId
from shared.pipeline.jobs.retry_job import RetryJob
from shared.pipeline.page.files.file_job import FileJob, JobState, state_of
from shared.pipeline.page.files.list_files import Listed, ListFiles
from shared.pipeline.page.files.list_side_by_side import SideBySide
from shared.pipeline.page.files.look_at_file import LookAtFile
from tests.support.dropped import TABLE, Dropped
from tests.support.fakes import FixedClock, MemoryStore
from tests.support.functions import BUCKET_NAME
from tests.support.whole_job import PROMPT, run_job


def listed(store: MemoryStore, folder: str = "", offset: int = 0, limit: int = 100) -> Listed:
    return ListFiles(LookAtFile(store, FixedClock(), BUCKET_NAME), SideBySide())(folder, offset, limit)


def refused(line: dict[str, Any]) -> dict[str, Any]:
    error = {"code": "InvalidParameter", "message": "bad"}
    return {"id": "x", "custom_id": line["custom_id"], "response": None, "error": error}


def only(store: MemoryStore) -> FileJob:
    (job,) = listed(store).jobs
    return job


def test_a_file_that_nobody_has_looked_at_is_being_checked() -> None:
    assert only(Dropped().store).state is JobState.CHECKING


def test_a_refused_one_is_said_to_be_so_until_it_is_dropped_again() -> None:
    dropped = Dropped(b"a,b\n1\n")
    assert dropped.validate() == "rejected"

    refused = only(dropped.store)
    dropped.drop(TABLE)

    assert (refused.state, refused.job_id) == (JobState.REFUSED, None)
    assert only(dropped.store).state is JobState.CHECKING


def test_a_planned_one_is_open_with_and_without_the_timers_board() -> None:
    dropped = Dropped()
    assert dropped.validate() == "planned"

    fresh = only(dropped.store)
    dropped.functions.write_board({}, timedelta(minutes=1))
    on_board = only(dropped.store)

    assert (fresh.state, fresh.rows, fresh.can_cancel) == (JobState.SENDING, 2, True)
    assert on_board == fresh


def test_what_an_open_one_may_spend_by_its_recipe_is_shown_with_it() -> None:
    dropped = Dropped()
    recipe = f"{PROMPT}parameters: {{max_tokens: 9}}\nprice: {{at_most: 2 CNY}}\n"
    dropped.store.put("inbox/batch.yaml", recipe.encode())
    dropped.validate()
    dropped.functions.write_board({}, timedelta(minutes=1))

    job = only(dropped.store)

    assert job.ceiling is not None
    assert job_json(job, "")["ceiling"] == {
        "folder": "",
        "at_most": "¥2.00",
        "spent": "¥0.00",
        "reserved": "¥0.00",
        "free": "¥2.00",
    }


def test_an_open_one_whose_file_was_deleted_stays_in_the_list_of_its_folder() -> None:
    dropped = Dropped()
    dropped.validate()
    dropped.functions.write_board({}, timedelta(minutes=1))
    dropped.store.delete("inbox/t.csv")

    assert (only(dropped.store).state, listed(dropped.store).total) == (JobState.SENDING, 1)
    assert listed(dropped.store, "other/").jobs == []


def test_a_closed_one_is_told_by_the_report_beside_its_result_alone() -> None:
    store, plan = run_job("t.csv", TABLE, PROMPT)
    asked = Counter[str]()
    store.before = lambda what, key: asked.update([f"{what} {key.split('/')[0]}"])

    job = only(store)

    assert (job.state, job.job_id, job.result) == (JobState.DONE, plan.job_id, "results/t.csv")
    assert (job.rows, job.answered, dict(job.counts or {})) == (2, 2, {"answered": 2})
    assert (job.can_cancel, job.can_retry) == (False, False)
    assert asked == {"list inbox": 1, "get board.json": 1, "get results": 1}


def test_the_report_of_an_earlier_version_tells_nothing_of_a_later_one() -> None:
    store, _ = run_job("t.csv", TABLE, PROMPT)
    store._clock.advance(timedelta(minutes=1))  # type: ignore[attr-defined]
    store.put("inbox/t.csv", TABLE)

    assert only(store).state is JobState.CHECKING


def test_a_report_of_another_file_is_not_believed() -> None:
    store, _ = run_job("t.csv", TABLE, PROMPT)
    store.put("inbox/t.jsonl", b"{}\n")

    assert {job.key: job.state for job in listed(store).jobs} == {
        "inbox/t.csv": JobState.DONE,
        "inbox/t.jsonl": JobState.CHECKING,
    }


def test_a_retry_stands_for_its_file_at_once() -> None:
    store, plan = run_job("t.csv", TABLE, PROMPT, answer=refused)
    before = only(store)

    RetryJob(store, FixedClock(), "run-2")(plan)
    after = only(store)

    assert (before.state, before.can_retry) == (JobState.INCOMPLETE, True)
    assert (after.state, after.can_retry) == (JobState.COLLECTING, False)  # what is kept, first
    assert after.job_id not in {None, JobId(plan.job_id)}


def test_rows_that_were_never_sent_are_not_offered_to_be_sent_again() -> None:
    store, _ = run_job("t.csv", b"a,b\n1,x\n2\n", f"{PROMPT}on_bad_rows: skip\n")

    job = only(store)

    assert (job.state, job.answered, job.rows, job.can_retry) == (JobState.INCOMPLETE, 1, 2, False)


def test_ten_thousand_files_cost_no_more_than_those_that_are_shown() -> None:
    store = MemoryStore(FixedClock())
    for number in range(10_000):
        store.put(f"inbox/a/{number:05d}.csv", b"1")
    store.put("inbox/a/.hidden", b"")
    store.put("inbox/a/batch.yaml", b"")
    asked = Counter[str]()
    store.before = lambda what, key: asked.update([what])

    page = listed(store, "a/", offset=9_990, limit=20)

    assert (page.total, len(page.jobs)) == (10_000, 10)
    assert asked.total() < 10 * 5


def test_a_folder_with_too_many_files_is_listed_in_part_and_with_all_its_open_jobs() -> None:
    dropped = Dropped(name="z.csv")
    dropped.validate()
    dropped.functions.write_board({}, timedelta(minutes=1))
    for number in range(6):
        dropped.store.put(f"inbox/a{number}.csv", b"1")
    look = LookAtFile(dropped.store, FixedClock(), BUCKET_NAME)

    cut, whole = (ListFiles(look, SideBySide(), at_most)("", 0, 100) for at_most in (5, 8))

    assert (cut.more, cut.total, cut.jobs[0].key) == (True, 6, "inbox/z.csv")
    assert [job.key for job in cut.jobs[1:]] == [f"inbox/a{number}.csv" for number in range(5)]
    assert (whole.more, whole.total) == (False, 7)


def job(by_state: dict[str, int]) -> OpenJob:
    return OpenJob(
        job_id="0" * 16, source_key="inbox/x", rows=1, shards=1, by_state=by_state, waiting_since=None
    )


def test_what_is_cancelled_is_said_to_be_so_until_its_end() -> None:
    cancelled = job({"ready": 1, "running": 1}).model_copy(update={"cancelled": True})

    assert state_of(cancelled) is JobState.CANCELLING


@pytest.mark.parametrize(
    ("by_state", "state"),
    [
        ({"ready": 1, "running": 1, "settled": 3}, JobState.RUNNING),
        ({"waiting": 2}, JobState.WAITING),
        ({"waiting": 2, "ready": 1}, JobState.SENDING),
        ({"waiting": 1, "finished": 1}, JobState.WAITING),
        ({"finished": 1}, JobState.COLLECTING),
        ({"settled": 2}, JobState.COLLECTING),
        ({}, JobState.SENDING),
    ],
)
def test_a_job_is_in_the_state_that_most_concerns_its_owner(
    by_state: dict[str, int], state: JobState
) -> None:
    assert state_of(job(by_state)) is state
