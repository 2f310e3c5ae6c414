"""The TI-ONE adapter and our runner against the local TI-ONE: what is sent, found and read back."""

from __future__ import annotations

import contextlib
import json
import logging
from datetime import timedelta
from typing import Any

import pytest

from scripts.localcloud.answers.faults import CallFault
from scripts.localcloud.tione.api.service import Habit
from scripts.localcloud.tione.tasks.task_faults import TaskFault
from shared.ports.provider import BatchId, BatchState, BatchStatus
from shared.problems.exceptions import (
    OutcomeUnknown,
    ProviderRejected,
    ProviderTrouble,
    QuotaReached,
    TransientError,
)
from shared.providers.tione.client import Tione
from shared.providers.tione.troubles import ACCESS_KEY_REFUSED, API_WITHDRAWN
from tests.support.leaks import leaks_in
from tests.support.local_tione import (
    BATCH,
    SECRET_KEY,
    TRAINING,
    TioneOnThisMachine,
    ended,
    tione_line,
    tione_request,
)

FAMILIES = {"batch": BATCH, "training": TRAINING}
ROWS = [tione_line(str(row)) for row in range(6)]


@pytest.fixture(params=["batch", "training"])
def api(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def on(tione: TioneOnThisMachine) -> TioneOnThisMachine:
    return tione


@pytest.fixture
def provider(on: TioneOnThisMachine, api: str) -> Tione:
    return on.adapter(api)


def ids_in(provider: Tione, state: BatchState) -> list[str]:
    return sorted(json.loads(line)["custom_id"] for line in provider.results(state))


def test_every_row_comes_back_from_a_task(on: TioneOnThisMachine, provider: Tione) -> None:
    lines = [tione_line("good"), tione_line("bad", "[[refuse:400]]"), b'{"custom_id": "none"}\n']

    state = ended(provider, provider.submit(tione_request("job", *lines)))

    assert (state.status, state.lines_promised) == (BatchStatus.COMPLETED, 3)
    assert (state.requests_completed, state.requests_failed) == (1, 2)
    found = {json.loads(line)["custom_id"]: json.loads(line) for line in provider.results(state)}
    assert {name: (line["response"] or {}).get("status_code") for name, line in found.items()} == {
        "good": 200,
        "bad": 400,
        "none": None,
    }


# Each with the rows whose lines are there in the end; the others are sent again.
@pytest.mark.parametrize(
    ("fault", "status", "promised", "rows"),
    [
        ({"outcome": "kill", "after_rows": 3}, BatchStatus.EXPIRED, None, 0),
        ({"outcome": "stop", "after_rows": 3}, BatchStatus.EXPIRED, None, 0),
        ({"outcome": "stop", "after_rows": 3, "output_after_stop": True}, BatchStatus.EXPIRED, 3, 3),
        ({"lose_output": True}, BatchStatus.COMPLETED, 0, 0),
        ({"lose_manifest": True}, BatchStatus.COMPLETED, 0, 6),
        ({"tear_manifest": True}, BatchStatus.COMPLETED, 0, 6),
        ({"lose_lines": 2}, BatchStatus.COMPLETED, 0, 4),
        ({"lose_manifest": True, "tear_line": True}, BatchStatus.COMPLETED, 0, 5),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else None,
)
def test_what_is_left_of_a_task_is_read_and_no_more(
    on: TioneOnThisMachine, fault: dict[str, Any], status: BatchStatus, promised: int | None, rows: int
) -> None:
    on.tione.faults.add(TaskFault(**fault))
    provider = on.adapter()

    state = ended(provider, provider.submit(tione_request("job", *ROWS)))

    assert (state.status, state.lines_promised) == (status, promised)
    found = []
    with contextlib.suppress(ProviderRejected):  # after lines that their hash does not fit
        for line in provider.results(state):
            found.append(line)  # noqa: PERF402 - what came before the end counts
    assert len(found) == rows


def test_output_that_is_late_is_there_at_a_later_look(on: TioneOnThisMachine, provider: Tione) -> None:
    on.tione.faults.add(TaskFault(late_describes=2))
    task_id = provider.submit(tione_request("job", *ROWS))

    first = ended(provider, task_id)
    later = [provider.status(task_id) for _ in range(2)][-1]

    assert (first.lines_promised, first.result_files) == (0, ())
    assert later
    assert (later.lines_promised, len(ids_in(provider, later))) == (6, 6)


def test_a_create_whose_answer_is_lost_is_found_and_not_repeated(
    on: TioneOnThisMachine, provider: Tione
) -> None:
    on.tione.faults.add(TaskFault(cut_connection=True, unlisted_lists=1))

    with pytest.raises(OutcomeUnknown):
        provider.submit(tione_request("job", *ROWS))

    assert provider.find("job") is None  # it is not listed yet
    found = provider.find("job")
    assert found == provider.submit(tione_request("job", *ROWS))
    assert [task.id for task in on.tasks] == [found]


def test_a_name_that_is_taken_is_ours(on: TioneOnThisMachine, provider: Tione) -> None:
    on.tione.habits.add(Habit.UNIQUE_NAMES)
    on.tione.faults.add(TaskFault(cut_connection=True, unlisted_lists=1))
    with pytest.raises(OutcomeUnknown):
        provider.submit(tione_request("job", *ROWS))

    # The list shows it only after the refusal.
    (task,) = on.tasks
    assert provider.submit(tione_request("job", *ROWS)) == task.id


def test_a_task_is_told_to_stop_until_it_has_started(
    on: TioneOnThisMachine, provider: Tione, api: str
) -> None:
    on.tione.faults.add(TaskFault(starting_looks=2, output_after_stop=True))
    on.tione.faults.paused = True
    task_id = provider.submit(tione_request("job", *ROWS))

    for _ in range(2):
        with pytest.raises(TransientError):
            provider.cancel(task_id)
    on.wait(task_id, "RUNNING", family=FAMILIES[api])
    provider.cancel(task_id)

    assert ended(provider, task_id).status is BatchStatus.EXPIRED
    provider.cancel(task_id)


def test_the_runner_ends_by_itself_when_the_time_of_its_job_is_up(on: TioneOnThisMachine) -> None:
    provider = on.adapter()

    state = ended(provider, provider.submit(tione_request("job", *ROWS, completion_window=timedelta(0))))

    assert (state.status, state.lines_promised) == (BatchStatus.EXPIRED, 0)
    assert "deadline" in state.raw_status


def test_after_the_withdrawal_of_batch_tasks_the_other_api_goes_on(on: TioneOnThisMachine) -> None:
    before = on.adapter("batch")
    answered = before.submit(tione_request("answered", *ROWS))
    ended(before, answered)
    on.tione.habits.add(Habit.BATCH_WITHDRAWN)

    with pytest.raises(ProviderTrouble) as trouble:
        before.submit(tione_request("job", *ROWS))
    assert trouble.value.trouble == API_WITHDRAWN
    assert "TIONE_API" in str(trouble.value)

    after = on.adapter("training")
    assert len(ids_in(after, ended(after, after.submit(tione_request("job", *ROWS))))) == 6
    # Its task is not shown any longer, but what it has left is.
    state = after.status(answered)
    assert state
    assert len(ids_in(after, state)) == 6


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("ResourcesSoldOut.NotEnough", QuotaReached),
        ("LimitExceeded", QuotaReached),
        ("OperationDenied.BalanceInsufficient", ProviderTrouble),
        ("AuthFailure.SignatureExpire", ProviderTrouble),
        ("InternalError", OutcomeUnknown),
    ],
)
def test_a_refused_create_says_who_must_act(
    on: TioneOnThisMachine, code: str, error: type[Exception]
) -> None:
    on.tione.faults.add(CallFault(route="CreateBatchTask", status=200, code=code))

    with pytest.raises(error):
        on.adapter().submit(tione_request("job"))


def test_a_key_that_is_refused_is_in_no_message_or_log(
    on: TioneOnThisMachine, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    provider = on.adapter(secret_key="another/secret+key=")
    with pytest.raises(ProviderTrouble) as trouble:
        provider.find("job")
    ended(on.adapter(), on.adapter().submit(tione_request("job", tione_line("a", "a prompt of somebody's"))))

    assert trouble.value.trouble == ACCESS_KEY_REFUSED
    said = (caplog.text + str(trouble.value)).encode()
    secrets = {"key": SECRET_KEY, "other": "another/secret+key=", "prompt": "a prompt of somebody's"}
    assert leaks_in(said, secrets) == []


def test_nothing_is_left_of_a_task_that_was_collected_but_the_runner(
    on: TioneOnThisMachine, provider: Tione
) -> None:
    state = ended(provider, provider.submit(tione_request("job", *ROWS)))

    provider.clean_up(state)

    assert {key.split("/")[0] for key in on.keys("batchdrop/")} == {"runner"}
    assert [*provider.unused_files()] == []


def test_an_unknown_task_has_no_state_and_can_be_stopped(provider: Tione) -> None:
    for gone in ("batch-0000000000000000", "train-0000000000000000"):
        assert provider.status(BatchId(gone)) is None
        provider.cancel(BatchId(gone))
