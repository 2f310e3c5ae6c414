"""The local Ark in front of an OpenAI-compatible server, which may be down or refuse rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from scripts.localcloud.answers.upstream import Upstream
from shared.ports.provider import BatchState, BatchStatus, FailedFor
from tests.support.ark import ARK_MODEL, ArkOnThisMachine, ark_line, ark_request, ended, local_ark
from tests.support.bailian_requests import wait_for
from tests.support.fakes import FixedClock
from tests.support.upstream_server import Reply, UpstreamServer, answer_to


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def on(tmp_path: Path, upstream: UpstreamServer, clock: FixedClock) -> Iterator[ArkOnThisMachine]:
    forwarded = Upstream(upstream.url, "sk-up", None, first_pause_s=0.01)
    with local_ark(tmp_path, upstream=forwarded, clock=clock) as on:
        yield on


def test_rows_are_answered_by_the_upstream_under_the_jobs_model(
    on: ArkOnThisMachine, upstream: UpstreamServer
) -> None:
    rows = [ark_line(word, word) for word in ("one", "two")]

    state = ended(on, on.provider.submit(ark_request("job", *rows)))

    lines = [json.loads(line) for line in on.provider.results(state)]
    answers = {
        each["custom_id"]: each["response"]["body"]["choices"][0]["message"]["content"] for each in lines
    }
    assert answers == {"one": "ONE", "two": "TWO"}
    assert {(key, body["model"]) for _, key, body in upstream.seen} == {("Bearer sk-up", ARK_MODEL)}


@pytest.mark.parametrize(
    ("reply", "code", "message"),
    [
        ((400, b'{"error": {"message": "Too long."}}'), "InvalidParameter", "Too long."),
        ((422, b'{"error": "No such field."}'), "InvalidParameter", "No such field."),
        ((404, b'{"error": {"message": "No such model."}}'), "NotFound", "No such model."),
        ((400, b"plain words"), "InvalidParameter", "plain words"),
    ],
)
def test_a_row_that_the_upstream_refuses_has_an_error_and_no_response(
    on: ArkOnThisMachine, upstream: UpstreamServer, reply: Reply, code: str, message: str
) -> None:
    upstream.reply = lambda content: reply if content == "bad" else answer_to(content)

    state = ended(on, on.provider.submit(ark_request("job", ark_line("a", "bad"), ark_line("b"))))

    lines = {each["custom_id"]: each for each in map(json.loads, on.provider.results(state))}
    assert lines["a"]["response"] is None
    assert lines["a"]["error"]["code"] == code
    assert message in lines["a"]["error"]["message"]
    assert lines["b"]["error"] is None


def test_a_job_says_which_server_it_waits_for_and_goes_on_by_itself(
    on: ArkOnThisMachine, upstream: UpstreamServer
) -> None:
    upstream.stop()
    batch_id = on.provider.submit(ark_request("job"))

    def waiting() -> BatchState | None:
        state = on.provider.status(batch_id)
        return state if state and state.trouble else None

    state = wait_for(waiting)
    assert (state.status, state.trouble) == (BatchStatus.RUNNING, "upstream_unavailable")
    assert upstream.url in state.problems[0].message

    upstream.start()
    assert ended(on, batch_id).status is BatchStatus.COMPLETED


def test_a_window_that_ends_while_the_server_is_silent_is_no_rows_fault(
    on: ArkOnThisMachine, upstream: UpstreamServer, clock: FixedClock
) -> None:
    upstream.stop()
    batch_id = on.provider.submit(ark_request("job"))
    wait_for(lambda: (state := on.provider.status(batch_id)) and state.trouble)

    clock.advance(timedelta(days=1))

    state = ended(on, batch_id)
    assert (state.status, state.failed_for) == (BatchStatus.FAILED, FailedFor.ACCOUNT)
    assert state.trouble == "upstream_unavailable"
