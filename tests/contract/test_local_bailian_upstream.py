"""The local Bailian as a batch service in front of any OpenAI-compatible server."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scripts.localcloud.answers.built_in_answers import TEST_RESULT
from scripts.localcloud.answers.upstream import UNREAD, Upstream, upstream_url
from scripts.localcloud.bailian.local_bailian import LocalBailian
from shared.ports.profile import CHAT
from shared.providers.bailian.profile import TEST_ENDPOINT, TEST_MODEL
from tests.support.bailian_requests import chat_line, wait_for
from tests.support.bailian_wire import KEY, Wire
from tests.support.upstream_server import Reply, UpstreamServer, answer_to, nested


def after(statuses: dict[str, list[int]]) -> Callable[[str], Reply]:
    """The usual answer, but to these contents only once they have had these statuses."""

    def reply(content: str) -> Reply:
        left = statuses.get(content)
        return (left.pop(0), b'{"error": {"code": "nope", "message": "No."}}') if left else answer_to(content)

    return reply


def slow(content: str) -> Reply:
    time.sleep(0.1)
    return answer_to(content)


def forwarding(tmp_path: Path, url: str, **options: Any) -> LocalBailian:
    return LocalBailian(tmp_path, KEY, upstream=Upstream(url, first_pause_s=0.01), **options)


def test_rows_are_answered_by_the_upstream(tmp_path: Path, upstream: UpstreamServer) -> None:
    with forwarding(tmp_path, upstream.url) as local:
        wire = Wire(local)
        batch = wire.ended(wire.create(*(chat_line(word, word) for word in ("one", "two", "three"))))

        answers = {
            line["custom_id"]: line["response"]["body"]["choices"][0]["message"]["content"]
            for line in wire.lines(batch["output_file_id"])
        }

    assert answers == {"one": "ONE", "two": "TWO", "three": "THREE"}
    assert {path for path, _, _ in upstream.seen} == {"/v1/chat/completions"}
    assert {key for _, key, _ in upstream.seen} == {None}


def test_the_upstream_gets_its_own_key_and_model(tmp_path: Path, upstream: UpstreamServer) -> None:
    with LocalBailian(tmp_path, KEY, upstream=Upstream(upstream.url, "sk-up", "llama")) as local:
        wire = Wire(local)
        wire.ended(wire.create(chat_line("a")))

    ((_, key, body),) = upstream.seen
    assert (key, body["model"]) == ("Bearer sk-up", "llama")


def test_an_answer_that_is_nested_too_deep_is_kept_as_a_text_and_asked_for_once(
    tmp_path: Path, upstream: UpstreamServer
) -> None:
    depths = [499, 500, 700, 985, 1010, 5000]
    upstream.reply = lambda said: (200, nested(int(said)))

    with forwarding(tmp_path, upstream.url) as local:
        wire = Wire(local)
        batch = wire.ended(wire.create(*(chat_line(str(depth), str(depth)) for depth in depths)))
        lines = wire.lines(batch["output_file_id"])

    bodies = {int(line["custom_id"]): line["response"]["body"] for line in lines}
    assert bodies.pop(499) == json.loads(nested(499))
    assert bodies == {depth: {UNREAD: nested(depth).decode()} for depth in depths[1:]}
    assert sorted(map(int, upstream.asked)) == depths


@pytest.mark.parametrize("depth", [500, 985, 1010, 5000])
def test_a_row_that_is_nested_too_deep_is_refused_before_any_is_asked(
    tmp_path: Path, upstream: UpstreamServer, depth: int
) -> None:
    with forwarding(tmp_path, upstream.url) as local:
        wire = Wire(local)
        line = chat_line("deep").replace(b'{"model"', nested(depth)[:-1] + b', "model"')
        batch = wire.ended(wire.create(chat_line("a"), line))

    (error,) = batch["errors"]["data"]
    assert (error["line"], error["message"]) == (2, "This line is nested more than 500 levels deep.")
    assert upstream.seen == []


def test_a_busy_upstream_is_asked_again(tmp_path: Path, upstream: UpstreamServer) -> None:
    upstream.reply = after({"hello": [429, 503]})

    with forwarding(tmp_path, upstream.url) as local:
        wire = Wire(local)
        batch = wire.ended(wire.create(chat_line("a", "hello")))

    assert batch["request_counts"] == {"total": 1, "completed": 1, "failed": 0}
    assert len(upstream.seen) == 3


def test_a_row_the_upstream_refuses_becomes_an_error_line(tmp_path: Path, upstream: UpstreamServer) -> None:
    upstream.reply = after({"bad": [400], "busy": [500] * 9})

    with forwarding(tmp_path, upstream.url) as local:
        wire = Wire(local)
        lines = [chat_line("good", "good"), chat_line("bad", "bad"), chat_line("busy", "busy")]
        batch = wire.ended(wire.create(*lines))
        errors = {
            line["custom_id"]: line["response"]["status_code"] for line in wire.lines(batch["error_file_id"])
        }

    assert errors == {"bad": 400, "busy": 500}
    assert batch["request_counts"] == {"total": 3, "completed": 1, "failed": 2}
    assert len(upstream.seen) == 1 + 1 + 4


def test_the_upstream_never_gets_more_calls_at_once_than_allowed(
    tmp_path: Path, upstream: UpstreamServer
) -> None:
    upstream.gate.clear()

    with forwarding(tmp_path, upstream.url, concurrency=3) as local:
        wire = Wire(local)
        batches = [wire.create(*(chat_line(str(row)) for row in range(10))) for _ in range(2)]
        wait_for(lambda: len(upstream.seen) == 3)
        upstream.gate.set()
        for batch in batches:
            assert wire.ended(batch)["status"] == "completed"

    assert upstream.most_at_once == 3


def test_rows_answered_before_a_restart_are_not_asked_again(tmp_path: Path, upstream: UpstreamServer) -> None:
    with forwarding(tmp_path, upstream.url, batch_delay_s=20, concurrency=1) as local:
        wire = Wire(local)
        batch = wire.create(*(chat_line(str(row)) for row in range(20)))
        done = wait_for(lambda: wire.batch(batch)["request_counts"]["completed"])

    with forwarding(tmp_path, upstream.url) as local:
        wire = Wire(local)
        assert wire.ended(batch)["request_counts"]["completed"] == 20

    assert 0 < done < 20
    assert len(upstream.seen) == 20


@pytest.mark.parametrize("batch_delay_s", [0.0, 2.0])
def test_a_stop_waits_for_the_rows_under_way_and_none_is_asked_twice(
    tmp_path: Path, upstream: UpstreamServer, batch_delay_s: float
) -> None:
    upstream.reply = slow
    count = 200  # more than come before the stop, also where it comes late
    local = forwarding(tmp_path, upstream.url, concurrency=3, batch_delay_s=batch_delay_s)
    with local:
        batch = Wire(local).create(*(chat_line(str(row), str(row)) for row in range(count)))
        wait_for(lambda: len(upstream.seen) > 3)
        assert local.calls_under_way

    assert len(upstream.seen) < count
    upstream.reply = answer_to
    with local:
        assert Wire(local).ended(batch)["request_counts"]["completed"] == count
    assert sorted(map(int, upstream.asked)) == [*range(count)]


def test_a_cancelled_batch_keeps_the_answers_that_were_under_way(
    tmp_path: Path, upstream: UpstreamServer
) -> None:
    upstream.gate.clear()
    with forwarding(tmp_path, upstream.url, concurrency=3) as local:
        wire = Wire(local)
        batch = wire.create(*(chat_line(str(row), str(row)) for row in range(12)))
        wait_for(lambda: len(upstream.seen) == 3)
        wire.call("POST", f"/batches/{batch['id']}/cancel")
        time.sleep(0.1)  # it is seen by then, mostly
        upstream.gate.set()
        ended = wire.ended(batch)
        kept = {line["custom_id"] for line in wire.lines(ended["output_file_id"])}

    assert ended["status"] == "cancelled"
    assert sorted(kept) == sorted(upstream.asked)


def test_who_is_in_a_hurry_waits_for_no_row(tmp_path: Path, upstream: UpstreamServer) -> None:
    upstream.gate.clear()
    with forwarding(tmp_path, upstream.url, concurrency=3) as local:
        Wire(local).create(chat_line("a"))
        wait_for(lambda: upstream.open_calls)
        local.hurry()

    assert upstream.open_calls, "the stop has waited for the call"


def test_the_test_model_is_never_forwarded(tmp_path: Path, upstream: UpstreamServer) -> None:
    with forwarding(tmp_path, upstream.url) as local:
        wire = Wire(local)
        line = chat_line("a", model=TEST_MODEL, url=TEST_ENDPOINT)
        batch = wire.ended(wire.create(line, endpoint=TEST_ENDPOINT))
        (answer,) = wire.lines(batch["output_file_id"])

    assert answer["response"]["body"]["choices"][0]["message"]["content"] == TEST_RESULT
    assert upstream.seen == []


@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("http://127.0.0.1:11434", "http://127.0.0.1:11434/v1/chat/completions"),
        ("http://127.0.0.1:8000/v1/", "http://127.0.0.1:8000/v1/chat/completions"),
        ("https://host/compatible-mode/v1", "https://host/compatible-mode/v1/chat/completions"),
        ("https://host/api/paas/v4", "https://host/api/paas/v4/chat/completions"),
    ],
)
def test_the_path_joins_any_kind_of_base_url(base: str, url: str) -> None:
    assert upstream_url(base, CHAT) == url
