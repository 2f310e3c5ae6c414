"""How jobs of Ark are found again, how they end, and what they leave to read."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from scripts.localcloud.answers.faults import CallFault
from scripts.localcloud.ark.jobs.job import Job, Phase
from scripts.localcloud.ark.jobs.job_faults import JobFault
from scripts.localcloud.ark.jobs.job_run import JobRun
from shared.ports.provider import BatchId, BatchState, BatchStatus
from shared.problems.exceptions import (
    ProviderRejected,
    ProviderTrouble,
)
from tests.support.ark import (
    GONE,
    ArkOnThisMachine,
    ark_line,
    ark_request,
    ended,
    local_ark,
    open_adapter,
)
from tests.support.bailian_requests import wait_for
from tests.support.fakes import FixedClock, MemoryStore


def ids_in(on: ArkOnThisMachine, state: BatchState) -> list[str]:
    return sorted(json.loads(line)["custom_id"] for line in on.provider.results(state))


# Finding and ending.


def test_a_job_is_found_behind_a_page_of_others_like_it(on: ArkOnThisMachine) -> None:
    on.ark.faults.paused = True
    batch_id = on.provider.submit(ark_request("job"))
    memory = on.ark.store
    assert memory
    for number in range(150):
        copy = {"id": f"bi-20261121000000-{number:05d}", "name": f"job-{number}"}
        memory.add(on.jobs[0].model_copy(update=copy), JobFault())

    assert on.provider.find("job") == batch_id
    assert on.provider.find("jo") is None


@pytest.mark.parametrize("phase", ["Initializing", "Pausing", "已完成"])
def test_a_job_in_a_phase_that_no_page_names_goes_on(on: ArkOnThisMachine, phase: str) -> None:
    on.ark.faults.add(JobFault(odd_phase=phase, odd_phase_gets=1))
    batch_id = on.provider.submit(ark_request("job"))

    state = on.provider.status(batch_id)

    assert state
    assert state.raw_status == phase
    assert not state.status.is_terminal
    assert ended(on, batch_id).status is BatchStatus.COMPLETED


def test_of_two_jobs_of_an_attempt_the_newest_is_found_in_whatever_order_they_are_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FixedClock()
    with local_ark(tmp_path, clock=clock) as on:
        ended(on, on.provider.submit(ark_request("job")))
        clock.advance(timedelta(days=1))
        newer = on.provider.submit(ark_request("job"))
        assert on.provider.find("job") == newer

        listed = list(on.provider._api.named("job"))
        monkeypatch.setattr(on.provider._api, "named", lambda _: iter(listed[::-1]))

        assert on.provider.find("job") == newer


def test_a_job_past_its_window_is_expired_and_a_stopped_one_cancelled(tmp_path: Path) -> None:
    clock = FixedClock(datetime(2026, 11, 21, 9, tzinfo=timezone.utc))
    with local_ark(tmp_path, clock=clock) as on:
        on.ark.faults.paused = True
        expiring = on.provider.submit(ark_request("expiring"))
        stopped = on.provider.submit(ark_request("stopped"))

        on.provider.cancel(stopped)
        assert ended(on, stopped).status is BatchStatus.CANCELLED
        clock.advance(timedelta(days=1))

        assert ended(on, expiring).status is BatchStatus.EXPIRED
        assert on.provider.status(stopped).status is BatchStatus.CANCELLED  # type: ignore[union-attr]


def test_a_job_that_is_stopped_just_when_it_leaves_the_queue_stays_stopped(
    on: ArkOnThisMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter, on.ark.faults.paused = JobRun._enter, True

    def stops_first(run: JobRun, phase: Phase, **changes: object) -> Job:
        if phase == "Initializing":
            on.provider.cancel(BatchId(run._id))
        entered.append(enter(run, phase, **changes).phase)
        return run._job()

    entered: list[str] = []
    monkeypatch.setattr(JobRun, "_enter", stops_first)

    stopped = on.provider.submit(ark_request("stopped"))

    assert wait_for(lambda: entered) == ["Terminated"]
    assert ended(on, stopped).status is BatchStatus.CANCELLED


@pytest.mark.parametrize(
    "batch_id", [GONE, BatchId("batch_1"), BatchId(""), BatchId("bi-../x"), BatchId("行")]
)
def test_what_is_no_job_is_not_known_and_not_stopped(on: ArkOnThisMachine, batch_id: BatchId) -> None:
    on.provider.cancel(batch_id)

    assert on.provider.status(batch_id) is None


def test_stopping_twice_is_no_error(on: ArkOnThisMachine) -> None:
    on.ark.faults.paused = True
    batch_id = on.provider.submit(ark_request("job"))

    on.provider.cancel(batch_id)
    on.provider.cancel(batch_id)

    assert ended(on, batch_id).status is BatchStatus.CANCELLED


@pytest.mark.parametrize("code", ["AccessDenied", "SignatureDoesNotMatch"])
def test_a_stop_that_the_key_may_not_make_is_told(on: ArkOnThisMachine, code: str) -> None:
    on.ark.faults.add(CallFault(route="StopBatchInferenceJob", status=403, code=code))

    with pytest.raises(ProviderTrouble):
        on.provider.cancel(GONE)


# Results.

ROWS = [
    ark_line("good-1"),
    ark_line("bad-1", "[[refuse:400]]"),
    ark_line("good-2"),
    ark_line("late", "[[status:429]]"),
]
ALL = ["bad-1", "good-1", "good-2", "late"]


@pytest.mark.parametrize(
    ("fault", "found"),
    [
        ({}, ALL),
        ({"errors_beside_results": True}, ALL),
        ({"errors_elsewhere": True}, ALL),
        ({"missing_errors": True}, ["good-1", "good-2"]),
        ({"missing_results": True}, ["bad-1", "late"]),
        ({"missing_results": True, "missing_errors": True}, []),
        ({"http_headers": True}, ALL),
        ({"failed_not_completed": True}, ALL),
        ({"lose_lines": 1}, 3),
        ({"repeat_lines": 2}, 6),
        ({"unknown_lines": 1}, 5),
    ],
)
def test_results_are_read_wherever_they_lie(
    on: ArkOnThisMachine, fault: dict[str, Any], found: list[str] | int
) -> None:
    on.ark.faults.add(JobFault(**fault))

    state = ended(on, on.provider.submit(ark_request("job", *ROWS)))

    ids = ids_in(on, state)
    assert state.status is BatchStatus.COMPLETED
    assert (ids == found) if isinstance(found, list) else (len(ids) == found)


def test_files_that_come_after_the_end_are_seen_when_they_are_there(on: ArkOnThisMachine) -> None:
    on.ark.faults.add(JobFault(outcome="stop", after_rows=3, late_gets=2))

    state = ended(on, on.provider.submit(ark_request("job", *ROWS)))
    assert (state.status, state.result_files, state.lines_promised) == (BatchStatus.CANCELLED, (), 3)

    late = wait_for(lambda: (seen := on.provider.status(state.batch_id)) and seen.result_files and seen)
    assert len(ids_in(on, late)) == 3


@pytest.mark.parametrize(("is_left", "lines", "early_s"), [(True, 2, 0), (False, 0, 0), (True, 2, 300)])
def test_an_expired_job_may_leave_files_or_none(
    on: ArkOnThisMachine, is_left: bool, lines: int, early_s: int
) -> None:
    fault = JobFault(outcome="expire", after_rows=2, early_s=early_s, no_files_after_stop=not is_left)
    on.ark.faults.add(fault)

    state = ended(on, on.provider.submit(ark_request("job", *ROWS)))

    assert (state.status, state.lines_promised) == (BatchStatus.EXPIRED, 2)
    assert len(ids_in(on, state)) == lines


def test_a_file_that_changes_while_it_is_read_is_not_mixed(on: ArkOnThisMachine) -> None:
    staging = MemoryStore()
    adapter = open_adapter(on.ark.url, staging)
    staging.put("r.jsonl", b"old\n")
    state = BatchState(GONE, BatchStatus.COMPLETED, "Completed", result_files=("r.jsonl",))

    def replace(what: str, _: str) -> None:
        if what == "read":
            staging.before = None
            staging.put("r.jsonl", b"new\n")

    staging.before = replace

    with pytest.raises(ProviderRejected) as refusal:
        list(adapter.results(state))
    assert refusal.value.status == 404
    assert list(adapter.results(state)) == [b"new"]


def test_a_bad_line_fails_the_job_and_is_named(on: ArkOnThisMachine) -> None:
    state = ended(on, on.provider.submit(ark_request("job", ark_line("a"), b"\n", b"{}\n", ark_line("a"))))

    (problem,) = state.problems
    assert (state.status, problem.line) == (BatchStatus.FAILED, 2)
    assert "custom_id不存在" in problem.message
    assert state.result_files == ()
