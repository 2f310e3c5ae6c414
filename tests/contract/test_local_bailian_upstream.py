"""The local Bailian as a batch service in front of any OpenAI-compatible server."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from scripts.localcloud.bailian.batches.built_in_answers import TEST_RESULT
from scripts.localcloud.bailian.batches.upstream import upstream_url
from scripts.localcloud.bailian.local_bailian import LocalBailian
from shared.ports.profile import CHAT
from shared.providers.bailian.profile import TEST_ENDPOINT, TEST_MODEL
from tests.support.bailian_requests import chat_line, wait_for
from tests.support.bailian_wire import KEY, Wire


class Upstream:
    """A tiny OpenAI-compatible server; it answers with the last message, upper case.

    Attributes:
        statuses: For a content, the statuses of its first calls.
        seen: Path, key and body of every call.
        most_at_once: How many calls were open at the same time, at most.
        gate: While it is not set, no call is answered.
    """

    def __init__(self) -> None:
        self.statuses: dict[str, list[int]] = {}
        self.seen: list[tuple[str, str | None, dict[str, Any]]] = []
        self.most_at_once = 0
        self.gate = threading.Event()
        self.gate.set()
        self._open = 0
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"

    def close(self) -> None:
        self.gate.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, path: str, key: str | None, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        content = body["messages"][-1]["content"]
        with self._lock:
            self.seen.append((path, key, body))
            self._open += 1
            self.most_at_once = max(self.most_at_once, self._open)
            status = self.statuses.get(content, []).pop(0) if self.statuses.get(content) else 200
        self.gate.wait(10)
        with self._lock:
            self._open -= 1
        if status != 200:
            return status, {"error": {"code": "nope", "message": "No."}}
        message = {"role": "assistant", "content": content.upper()}
        return 200, {"model": body["model"], "choices": [{"index": 0, "message": message}]}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        upstream = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status, answer = upstream.answer(self.path, self.headers.get("Authorization"), body)
                content = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        return Handler


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    upstream = Upstream()
    yield upstream
    upstream.close()


def forwarding(tmp_path: Path, url: str, **options: Any) -> LocalBailian:
    return LocalBailian(tmp_path, KEY, upstream=url, upstream_first_pause_s=0.01, **options)


def test_rows_are_answered_by_the_upstream(tmp_path: Path, upstream: Upstream) -> None:
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


def test_the_upstream_gets_its_own_key_and_model(tmp_path: Path, upstream: Upstream) -> None:
    options = {"upstream_api_key": "sk-up", "upstream_model": "llama"}
    with forwarding(tmp_path, upstream.url, **options) as local:
        wire = Wire(local)
        wire.ended(wire.create(chat_line("a")))

    ((_, key, body),) = upstream.seen
    assert (key, body["model"]) == ("Bearer sk-up", "llama")


def test_a_busy_upstream_is_asked_again(tmp_path: Path, upstream: Upstream) -> None:
    upstream.statuses["hello"] = [429, 503]

    with forwarding(tmp_path, upstream.url) as local:
        wire = Wire(local)
        batch = wire.ended(wire.create(chat_line("a", "hello")))

    assert batch["request_counts"] == {"total": 1, "completed": 1, "failed": 0}
    assert len(upstream.seen) == 3


def test_a_row_the_upstream_refuses_becomes_an_error_line(tmp_path: Path, upstream: Upstream) -> None:
    upstream.statuses = {"bad": [400], "busy": [500] * 9}

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


def test_the_upstream_never_gets_more_calls_at_once_than_allowed(tmp_path: Path, upstream: Upstream) -> None:
    upstream.gate.clear()

    with forwarding(tmp_path, upstream.url, concurrency=3) as local:
        wire = Wire(local)
        batches = [wire.create(*(chat_line(str(row)) for row in range(10))) for _ in range(2)]
        wait_for(lambda: len(upstream.seen) == 3)
        upstream.gate.set()
        for batch in batches:
            assert wire.ended(batch)["status"] == "completed"

    assert upstream.most_at_once == 3


def test_rows_answered_before_a_restart_are_not_asked_again(tmp_path: Path, upstream: Upstream) -> None:
    local = forwarding(tmp_path, upstream.url, batch_delay_s=1, concurrency=1)
    with local:
        wire = Wire(local)
        batch = wire.create(*(chat_line(str(row)) for row in range(20)))
        done = wait_for(lambda: wire.batch(batch)["request_counts"]["completed"])

    with local:
        wire = Wire(local)
        assert wire.ended(batch)["request_counts"]["completed"] == 20

    asked_twice = len(upstream.seen) - 20
    assert asked_twice <= 20 - done
    assert asked_twice <= 3


def test_the_test_model_is_never_forwarded(tmp_path: Path, upstream: Upstream) -> None:
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
