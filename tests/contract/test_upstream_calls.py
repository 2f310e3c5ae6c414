"""Calls to an upstream over connections that stay open, and what stands between."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from scripts.localcloud.answers.built_in_answers import Answer, Request
from scripts.localcloud.answers.calls.replies import Heard, Replies
from scripts.localcloud.answers.calls.upstream_calls import UpstreamCalls
from scripts.localcloud.answers.upstream import Silence, Upstream
from scripts.localcloud.answers.upstream_health import AskedRow
from shared.ports.profile import CHAT
from tests.support.bailian_requests import wait_for

ROW = Request("a", CHAT, {"model": "m", "messages": [{"role": "user", "content": "hé"}]})
ANSWER = {"choices": []}


class Server(ThreadingHTTPServer):
    """Keeps connections open, and counts them."""

    daemon_threads = True

    def __init__(self) -> None:
        self.opened = self.closed = 0
        self.hangs_up = False
        self.redirects_to = ""
        self.seen: list[tuple[str, dict[str, str], Any]] = []
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/v1"

    def get_request(self) -> Any:
        self.opened += 1
        return super().get_request()

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        self.closed += 1


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.seen.append((self.path, dict(self.headers), body))
        is_elsewhere = self.server.redirects_to not in {"", self.path}
        content = b"" if is_elsewhere else json.dumps(ANSWER).encode()
        self.send_response(307 if is_elsewhere else 200)
        self.send_header("Location", self.server.redirects_to)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        # Without a word, as a server whose patience with an idle connection ends.
        self.close_connection = self.server.hangs_up

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        thread = Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def calls(server: Server) -> Iterator[UpstreamCalls]:
    calls = UpstreamCalls(Upstream(server.url), 2)
    yield calls
    calls.close()


def said_by(calls: UpstreamCalls) -> object:
    ((_, said, _),) = calls.ask_one(ROW).next(10)
    return said


def body_of(said: object) -> object:
    assert isinstance(said, Answer)
    assert said.response
    return said.response["body"]


def test_one_connection_serves_one_call_after_the_other(server: Server, calls: UpstreamCalls) -> None:
    assert [body_of(said_by(calls)) for _ in range(3)] == [ANSWER] * 3
    assert server.opened == 1


def test_a_connection_that_the_server_has_closed_meanwhile_is_no_failure(
    server: Server, calls: UpstreamCalls
) -> None:
    server.hangs_up = True

    for number in range(1, 4):
        assert body_of(said_by(calls)) == ANSWER
        wait_for(lambda number=number: server.closed == number)

    assert server.opened == len(server.seen) == 3


def test_a_redirect_is_followed_with_the_row(server: Server, calls: UpstreamCalls) -> None:
    server.redirects_to = "/v1/elsewhere"

    assert body_of(said_by(calls)) == ANSWER

    assert server.seen[-1][0] == "/v1/elsewhere"
    assert server.seen[-1][2] == {**ROW.body, "stream": False}


def test_a_proxy_of_the_environment_is_asked(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", server.url.removesuffix("/v1"))
    calls = UpstreamCalls(Upstream("http://model.invalid/v1"), 2)

    said = said_by(calls)
    calls.close()

    assert body_of(said) == ANSWER
    assert [path for path, _, _ in server.seen] == ["http://model.invalid/v1/chat/completions"]


def test_name_and_password_may_stand_in_the_address(server: Server) -> None:
    calls = UpstreamCalls(Upstream(server.url.replace("//", "//me:s3cret@")), 2)

    said = said_by(calls)
    calls.close()

    assert body_of(said) == ANSWER
    ((_, headers, _),) = server.seen
    assert headers["Authorization"] == f"Basic {base64.b64encode(b'me:s3cret').decode()}"


def test_however_many_calls_fail_before_they_are_made_each_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/no/such/file")
    calls, replies = UpstreamCalls(Upstream("https://127.0.0.1:9/v1"), 4), Replies()

    calls.ask([AskedRow(ROW)] * 2000, replies)
    told: list[Heard] = []
    wait_for(lambda: told.extend(replies.next(0.1)) or len(told) == 2000)
    calls.close()

    assert all(isinstance(heard.said, Silence) for heard in told)
