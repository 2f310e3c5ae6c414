"""The local Bailian in front of a server that does not answer: it waits, and says for what."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from scripts.localcloud.answers.upstream import Upstream
from scripts.localcloud.bailian.local_bailian import LocalBailian
from shared.ports.profile import CHAT
from shared.providers.bailian.profile import TEST_ENDPOINT, TEST_MODEL
from tests.support.bailian_requests import chat_line, wait_for
from tests.support.bailian_wire import KEY, StoppedClock, Wire, rows
from tests.support.upstream_server import Reply, UpstreamServer, answer_to
from tests.support.waiting import PATIENCE_S

UNAVAILABLE, KEY_REFUSED = "upstream_unavailable", "upstream_refuses_key"
ERROR = json.dumps({"error": {"message": "Out of memory.", "code": "nope"}}).encode()
PAGE = b"<html><body>Bad Gateway</body></html>"


def forwarding(
    tmp_path: Path, upstream: UpstreamServer, *, timeout_s: float = PATIENCE_S, **options: Any
) -> LocalBailian:
    answerer = Upstream(upstream.url, first_pause_s=0.01, timeout_s=timeout_s, patience_s=0.1)
    return LocalBailian(tmp_path, KEY, upstream=answerer, **options)


def waiting(wire: Wire, batch: dict[str, Any]) -> dict[str, Any]:
    """What the batch waits for, as soon as it says so."""

    def look() -> dict[str, Any] | None:
        seen = wire.batch(batch)
        assert seen["status"] in {"validating", "in_progress"}
        return seen["errors"] and seen["errors"]["data"][0]

    return wait_for(look)


SILENCES: dict[str, tuple[Reply, str, str]] = {
    "502 page": ((502, PAGE), UNAVAILABLE, "HTTP 502 <html>"),
    "503 error": ((503, ERROR), UNAVAILABLE, "HTTP 503"),
    "504 text": ((504, b"upstream request timeout"), UNAVAILABLE, "HTTP 504 upstream request timeout"),
    "520 empty": ((520, b""), UNAVAILABLE, "HTTP 520"),
    "500 page": ((500, PAGE), UNAVAILABLE, "HTTP 500"),
    "429 error": ((429, ERROR), UNAVAILABLE, "Out of memory."),
    "408 empty": ((408, b""), UNAVAILABLE, "HTTP 408"),
    "400 empty": ((400, b""), UNAVAILABLE, "HTTP 400"),
    "404 of another program": ((404, b"404 page not found"), UNAVAILABLE, "HTTP 404"),
    "404 of a framework": ((404, b'{"detail": "Not Found"}'), UNAVAILABLE, "Not Found"),
    "405 page": ((405, PAGE), UNAVAILABLE, "HTTP 405"),
    "200 page": ((200, PAGE), UNAVAILABLE, "HTTP 200"),
    "200 empty": ((200, b""), UNAVAILABLE, "HTTP 200"),
    "200 list": ((200, b"[]"), UNAVAILABLE, "HTTP 200"),
    "hung up": (None, UNAVAILABLE, "/v1/chat/completions: "),
    "401 error": ((401, ERROR), KEY_REFUSED, "HTTP 401"),
    "402 error": ((402, ERROR), KEY_REFUSED, "HTTP 402"),
    "403 page": ((403, PAGE), KEY_REFUSED, "HTTP 403"),
    "407 empty": ((407, b""), KEY_REFUSED, "HTTP 407"),
}


@pytest.mark.parametrize("kind", SILENCES)
def test_no_answer_is_no_verdict_and_the_batch_goes_on_when_it_comes(
    tmp_path: Path, upstream: UpstreamServer, kind: str
) -> None:
    reply, code, said = SILENCES[kind]
    upstream.reply = lambda _: reply

    with forwarding(tmp_path, upstream) as local:
        wire = Wire(local)
        batch = wire.create(*rows(6))
        finding = waiting(wire, batch)
        upstream.reply = answer_to
        ended = wire.ended(batch)

    assert (finding["code"], upstream.url in finding["message"], said in finding["message"]) == (
        code,
        True,
        True,
    )
    assert ended["errors"] is None
    assert ended["request_counts"] == {"total": 6, "completed": 6, "failed": 0}


def test_a_server_that_is_not_started_yet_is_waited_for(tmp_path: Path, upstream: UpstreamServer) -> None:
    upstream.stop()

    with forwarding(tmp_path, upstream) as local:
        wire = Wire(local)
        batch = wire.create(*rows(6))
        finding = waiting(wire, batch)
        upstream.start()
        ended = wire.ended(batch)

    assert finding["code"] == UNAVAILABLE
    assert finding["message"] == f"{upstream.url}/chat/completions: Connection refused"
    assert ended["request_counts"] == {"total": 6, "completed": 6, "failed": 0}


def test_a_name_that_nobody_knows_is_waited_for(tmp_path: Path) -> None:
    url = "http://no-such-host.invalid/v1"
    with LocalBailian(tmp_path, KEY, upstream=Upstream(url, first_pause_s=0.01)) as local:
        wire = Wire(local)
        finding = waiting(wire, wire.create(*rows(2)))

    assert finding["code"] == UNAVAILABLE
    assert url in finding["message"]


def test_a_server_that_hangs_is_waited_for(tmp_path: Path, upstream: UpstreamServer) -> None:
    upstream.gate.clear()

    with forwarding(tmp_path, upstream, timeout_s=3) as local:
        wire = Wire(local)
        batch = wire.create(*rows(6))
        finding = waiting(wire, batch)
        upstream.gate.set()
        ended = wire.ended(batch)

    assert "no answer within 3 s" in finding["message"]
    assert ended["request_counts"] == {"total": 6, "completed": 6, "failed": 0}


def test_a_server_that_goes_down_in_the_middle_keeps_what_it_answered(
    tmp_path: Path, upstream: UpstreamServer
) -> None:
    def break_down(content: str) -> Reply:
        return answer_to(content) if len(upstream.asked) <= 5 else (503, PAGE)

    upstream.reply = break_down
    with forwarding(tmp_path, upstream, concurrency=3) as local:
        wire = Wire(local)
        batches = [wire.create(*rows(20)), wire.create(*rows(20))]
        for batch in batches:
            assert waiting(wire, batch)["code"] == UNAVAILABLE
        upstream.reply = answer_to
        ended = [wire.ended(batch) for batch in batches]

    for batch in ended:
        assert batch["request_counts"] == {"total": 20, "completed": 20, "failed": 0}


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        ((504, PAGE), "upstream_expired"),
        (None, "upstream_expired"),
        ((200, PAGE), "upstream_expired"),
        ((429, ERROR), "upstream_expired"),
        ((403, PAGE), 403),
        ((401, ERROR), 401),
        ((500, ERROR), 500),
    ],
)
@pytest.mark.parametrize("count", [3, 40])
def test_a_row_that_is_never_answered_while_others_are_does_not_hold_up_the_batch(
    tmp_path: Path, upstream: UpstreamServer, reply: Reply, error: str | int, count: int
) -> None:
    upstream.reply = lambda content: reply if content.startswith("bad") else answer_to(content)

    with forwarding(tmp_path, upstream, concurrency=1) as local:
        wire = Wire(local)
        lines = [*rows(count), chat_line("bad", "bad one")]
        ended = wire.ended(wire.create(*lines))
        (line,) = wire.lines(ended["error_file_id"])
        again = wire.ended(wire.create(lines[-1]))

    assert ended["request_counts"] == {"total": count + 1, "completed": count, "failed": 1}
    assert line["custom_id"] == "bad"
    assert (line["error"] or {}).get("code", (line["response"] or {}).get("status_code")) == error
    assert again["request_counts"]["failed"] == 1  # what was found out holds for the next attempt


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        ((400, ERROR), "Out of memory."),
        ((400, b"prompt too long"), "HTTP 400 prompt too long"),
        ((413, PAGE), "HTTP 413 <html>"),
        ((422, b'{"detail": "no such field"}'), "no such field"),
        ((404, ERROR), "Out of memory."),
        ((404, b'{"object": "error", "message": "no such model"}'), "no such model"),
        ((451, b"no"), "HTTP 451 no"),
    ],
)
def test_a_row_is_refused_only_by_the_upstream_and_at_once(
    tmp_path: Path, upstream: UpstreamServer, reply: Reply, message: str
) -> None:
    upstream.reply = lambda content: reply if content == "bad" else answer_to(content)

    with forwarding(tmp_path, upstream) as local:
        wire = Wire(local)
        ended = wire.ended(wire.create(*rows(3), chat_line("bad", "bad")))
        (line,) = wire.lines(ended["error_file_id"])

    assert line["response"]["status_code"] == reply[0]
    assert message in line["response"]["body"]["error"]["message"]
    assert upstream.asked.count("bad") == 1


def test_errors_of_one_row_after_the_other_are_the_upstream_s_own(
    tmp_path: Path, upstream: UpstreamServer
) -> None:
    upstream.reply = lambda _: (500, ERROR)

    with forwarding(tmp_path, upstream) as local:
        wire = Wire(local)
        batch = wire.create(*rows(20))
        finding = waiting(wire, batch)
        wait_for(lambda: len(upstream.asked) > 30)
        assert wire.batch(batch)["status"] == "in_progress"
        upstream.reply = answer_to
        ended = wire.ended(batch)

    assert "HTTP 500" in finding["message"]
    assert ended["status"] == "completed"
    assert ended["request_counts"]["failed"] <= 2


def test_one_row_whose_work_fails_is_not_waited_for(tmp_path: Path, upstream: UpstreamServer) -> None:
    upstream.reply = lambda _: (500, ERROR)

    with forwarding(tmp_path, upstream) as local:
        wire = Wire(local)
        attempts = [wire.ended(wire.create(chat_line("a"))) for _ in range(4)]

    assert [each["request_counts"]["failed"] for each in attempts] == [1, 1, 1, 1]


def test_a_batch_that_waits_can_be_cancelled(tmp_path: Path, upstream: UpstreamServer) -> None:
    upstream.reply = lambda _: (503, PAGE)

    with forwarding(tmp_path, upstream) as local:
        wire = Wire(local)
        batch = wire.create(*rows(3))
        waiting(wire, batch)
        wire.call("POST", f"/batches/{batch['id']}/cancel")
        ended = wire.ended(batch)

    assert (ended["status"], ended["errors"]) == ("cancelled", None)


def test_the_service_stops_while_a_call_hangs_and_goes_on_afterwards(
    tmp_path: Path, upstream: UpstreamServer
) -> None:
    upstream.gate.clear()
    local = forwarding(tmp_path, upstream)
    with local:
        wire = Wire(local)
        batch = wire.create(*rows(3))
        wait_for(lambda: upstream.open_calls)

    assert upstream.open_calls, "the stop has waited for the call"

    upstream.gate.set()
    with local:
        wire = Wire(local)
        assert wire.ended(batch)["request_counts"] == {"total": 3, "completed": 3, "failed": 0}


def test_what_a_batch_waited_for_before_a_restart_is_forgotten(
    tmp_path: Path, upstream: UpstreamServer
) -> None:
    upstream.reply = lambda _: (503, PAGE)
    local = forwarding(tmp_path, upstream)
    with local:
        wire = Wire(local)
        batch = wire.create(*rows(3))
        waiting(wire, batch)

    upstream.gate.clear()
    upstream.reply = answer_to
    with forwarding(tmp_path, upstream) as local:
        wire = Wire(local)
        wait_for(lambda: upstream.open_calls)
        assert wire.batch(batch)["errors"] is None
        upstream.gate.set()
        assert wire.ended(batch)["status"] == "completed"


@pytest.mark.parametrize(("answered", "status"), [(0, "failed"), (1, "expired")])
def test_a_window_that_ends_while_it_waits_fails_the_batch_if_no_row_ran(
    tmp_path: Path, upstream: UpstreamServer, answered: int, status: str
) -> None:
    upstream.reply = lambda content: answer_to(content) if content == "row" else (503, PAGE)
    clock = StoppedClock()

    with forwarding(tmp_path, upstream, clock=clock) as local:
        wire = Wire(local)
        lines = [chat_line(f"a{number}", "row") for number in range(answered)]
        batch = wire.create(*rows(3), *lines)
        waiting(wire, batch)
        clock.time += timedelta(hours=25)
        ended = wire.ended(batch)

    assert ended["status"] == status
    codes = [each["code"] for each in (ended["errors"] or {"data": []})["data"]]
    assert codes == ([UNAVAILABLE] if status == "failed" else [])
    assert ended["request_counts"]["completed"] == answered


def test_batches_that_are_not_begun_say_so_too(tmp_path: Path, upstream: UpstreamServer) -> None:
    upstream.reply = lambda _: (503, PAGE)

    with forwarding(tmp_path, upstream) as local:
        wire = Wire(local)
        batches = [wire.create(*rows(2)) for _ in range(12)]
        said = {waiting(wire, batch)["code"] for batch in batches}
        statuses = {wire.batch(batch)["status"] for batch in batches}
        upstream.reply = answer_to
        ended = [wire.ended(batch) for batch in batches]

    assert (said, statuses) == ({UNAVAILABLE}, {"validating", "in_progress"})
    assert {batch["request_counts"]["completed"] for batch in ended} == {2}


def test_the_test_model_does_not_wait(tmp_path: Path, upstream: UpstreamServer) -> None:
    upstream.stop()

    with forwarding(tmp_path, upstream) as local:
        wire = Wire(local)
        waiting(wire, wire.create(*rows(3), endpoint=CHAT))
        lines = [chat_line(str(n), model=TEST_MODEL, url=TEST_ENDPOINT) for n in range(50)]
        ended = wire.ended(wire.create(*lines, endpoint=TEST_ENDPOINT))

    assert ended["request_counts"]["completed"] == 50
