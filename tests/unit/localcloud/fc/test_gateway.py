from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from scripts.localcloud.events.delivery_faults import DeliveryFaults, FaultKind, FaultRule
from scripts.localcloud.events.triggers import CloudEvent
from scripts.localcloud.fc.gateway import Gateway
from scripts.localcloud.fc.lanes import InvocationCounts
from scripts.localcloud.fc.workers.http import HttpResponse
from scripts.localcloud.fc.workers.process import WorkerFailed
from scripts.localcloud.status import status
from shared.runtime.custom.http_server import Request
from shared.runtime.http_events import MAX_EVENT_BYTES
from tests.support.waiting import PATIENCE_S

KEY = {"Authorization": "Bearer key"}


@dataclass(frozen=True)
class Http:
    function: str = "callback"
    name: str = "http"
    methods: tuple[str, ...] = ("GET", "POST", "HEAD")


class Pool:
    """Stands in for a function's workers; echoes, or answers what it is told."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, dict[str, str], bytes]] = []
        self.answer: HttpResponse | WorkerFailed | None = None

    def http(self, function: str, request: Request, request_id: str) -> HttpResponse:
        assert function == "callback"
        headers = {name.lower(): value for name, value in request.headers}
        self.seen.append((request.method, request.target, headers, request.body))
        if isinstance(self.answer, WorkerFailed):
            raise self.answer
        own = [
            ("Set-Cookie", "a=1"),
            ("Set-Cookie", "b=2"),
            ("x-fc-own", "1"),
            ("Content-Length", "999"),
            ("Content-Disposition", "inline"),
        ]
        return self.answer or HttpResponse(201, own, request.body)


@dataclass
class World:
    gateway: Gateway
    pool: Pool
    faults: DeliveryFaults
    published: list[CloudEvent]

    def request(
        self, method: str, target: str, body: object = None, headers: dict[str, str] | None = None
    ) -> tuple[http.client.HTTPResponse, bytes]:
        connection = http.client.HTTPConnection(
            "127.0.0.1", urlsplit(self.gateway.url).port, timeout=PATIENCE_S
        )
        try:
            connection.request(method, target, body, headers or {})  # type: ignore[arg-type]
            response = connection.getresponse()
            return response, response.read()
        finally:
            connection.close()


@pytest.fixture
def world() -> Iterator[World]:
    pool, faults, published = Pool(), DeliveryFaults(), []

    def publish(event: CloudEvent) -> list[str]:
        if "id" not in event:
            raise ValueError("the event lacks id")
        published.append(event)
        return ["finish"]

    with Gateway(
        call=pool.http,
        triggers=[Http()],
        status=lambda: {"functions": []},
        publish=publish,
        faults=faults,
        api_key="key",
    ) as gateway:
        yield World(gateway, pool, faults, published)


def test_a_request_reaches_the_function_as_it_came_without_the_functions_name(world: World) -> None:
    body = bytes(range(256)) * 500
    target = "/callback/j-1/%E4%BD%A0%2F?x=%20&x=2"

    response, answer = world.request("POST", target, body, {"X-Own": "1", "X-Fc-Request-Id": "forged"})

    method, path, headers, seen_body = world.pool.seen[0]
    assert (method, path, seen_body) == ("POST", "/j-1/%E4%BD%A0%2F?x=%20&x=2", body)
    assert headers["x-own"] == "1"
    assert "x-fc-request-id" not in headers
    assert response.status == 201
    assert answer == body
    assert response.headers.get_all("Set-Cookie") == ["a=1", "b=2"]
    assert response.headers.get_all("Content-Disposition") == ["attachment"], "browsers take no two"
    assert response.headers["X-Fc-Request-Id"].startswith("1-")
    assert "x-fc-own" not in response.headers


@pytest.mark.parametrize(
    ("target", "inner"), [("/callback", "/"), ("/callback/", "/"), ("/callback?a=1", "/?a=1")]
)
def test_the_functions_own_root(world: World, target: str, inner: str) -> None:
    world.request("GET", target)

    assert world.pool.seen[0][1] == inner


def test_raw_bytes_in_the_path_are_quoted_not_lost(world: World) -> None:
    with socket.create_connection(("127.0.0.1", urlsplit(world.gateway.url).port or 0), 10) as raw:
        raw.sendall("GET /callback/你 HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
        while raw.recv(65536):
            pass

    assert world.pool.seen[0][1] == "/%E4%BD%A0"


def test_a_chunked_body_arrives_whole(world: World) -> None:
    world.request("POST", "/callback", iter([b"one ", b"two"]))

    assert world.pool.seen[0][3] == b"one two"


def test_a_client_that_waits_before_its_body_is_told_to_go_on(world: World) -> None:
    with socket.create_connection(("127.0.0.1", urlsplit(world.gateway.url).port or 0), 10) as raw:
        raw.sendall(
            b"POST /callback HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
        )
        go_on = raw.recv(65536)
        raw.sendall(b"ok")
        answer = raw.recv(65536)

    assert go_on == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert answer.startswith(b"HTTP/1.1 201 ")


def test_head_has_no_body(world: World) -> None:
    world.pool.answer = HttpResponse(200, [], b"hidden")

    response, answer = world.request("HEAD", "/callback")

    assert (response.status, answer) == (200, b"")


def test_a_method_that_the_trigger_does_not_name_is_refused(world: World) -> None:
    response, _ = world.request("PUT", "/callback/x", b"")

    assert response.status == 405
    assert response.headers["Allow"] == "GET, HEAD, POST"
    assert world.pool.seen == []


def test_a_body_over_32_mb_is_refused(world: World) -> None:
    at_most, _ = world.request("POST", "/callback", bytes(MAX_EVENT_BYTES))
    too_much, answer = world.request("POST", "/callback", bytes(MAX_EVENT_BYTES + 1))

    assert at_most.status == 201
    assert too_much.status == 400
    assert json.loads(answer)["ErrorCode"] == "InvalidArgument"
    assert len(world.pool.seen) == 1


@pytest.mark.parametrize("length", ["-1", "x", "١", str(MAX_EVENT_BYTES + 1)])
def test_a_length_that_is_no_number_or_too_large_is_refused_at_once(world: World, length: str) -> None:
    with socket.create_connection(("127.0.0.1", urlsplit(world.gateway.url).port or 0), 10) as raw:
        raw.sendall(
            f"POST /callback HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {length}\r\n\r\n".encode()
        )
        answer = raw.recv(65536)

    assert answer.startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    "failure",
    [
        WorkerFailed("InvocationTimeout", "Function timed out after 3 seconds"),
        HttpResponse(404, [("x-fc-status", "404"), ("x-fc-error-type", "InvocationTimeout")], b"{}"),
    ],
)
def test_a_function_that_fails_is_a_bad_gateway(world: World, failure: HttpResponse | WorkerFailed) -> None:
    world.pool.answer = failure

    response, _ = world.request("GET", "/callback")

    assert response.status == 502
    assert response.headers["X-Fc-Error-Type"] == "InvocationTimeout"


def test_requests_are_counted_by_whether_the_function_answered(world: World) -> None:
    world.request("GET", "/callback")
    world.request("PUT", "/callback", b"")
    world.request("GET", "/submit")
    world.pool.answer = HttpResponse(404, [], b"no such job")
    world.request("GET", "/callback")
    world.pool.answer = WorkerFailed("InvocationTimeout", "Function timed out after 3 seconds")
    world.request("GET", "/callback")

    assert world.gateway.counts() == {"callback": InvocationCounts(succeeded=2, failed=1)}


def test_a_404_that_the_function_means_stays_one(world: World) -> None:
    world.pool.answer = HttpResponse(404, [], b"no such job")

    response, answer = world.request("GET", "/callback")

    assert (response.status, answer) == (404, b"no such job")


def test_other_paths_are_not_found(world: World) -> None:
    response, answer = world.request("GET", "/submit/x")

    assert response.status == 404
    assert json.loads(answer)["ErrorCode"] == "FunctionNotFound"


def test_an_event_can_be_published_from_another_process(world: World) -> None:
    response, answer = world.request("POST", "/eventbridge", '{"id":"1"}', KEY)
    refused, why = world.request("POST", "/eventbridge", "{}", KEY)
    garbage, _ = world.request("POST", "/eventbridge", b"\xff", KEY)

    assert (response.status, json.loads(answer)) == (200, {"matched": ["finish"]})
    assert world.published == [{"id": "1"}]
    assert (refused.status, json.loads(why)["ErrorMessage"]) == (400, "the event lacks id")
    assert garbage.status == 400


def test_faults_can_be_set_and_cleared_from_another_process(world: World) -> None:
    response, _ = world.request("POST", "/faults", '[{"kind":"duplicate","function":"submit"}]', KEY)
    one, _ = world.request("POST", "/faults", '{"kind":"delay","delay_s":1}', KEY)
    duplicated = world.faults.deliveries("submit", b"")
    refused, _ = world.request("POST", "/faults", '{"kind":"explode"}', KEY)
    cleared, _ = world.request("DELETE", "/faults", None, KEY)

    assert (response.status, one.status, refused.status, cleared.status) == (200, 200, 400, 200)
    assert duplicated == (1.0, 1.0)
    assert world.faults.deliveries("submit", b"") == (0.0,)


@pytest.mark.parametrize(
    "method_and_path", [("POST", "/eventbridge"), ("POST", "/faults"), ("DELETE", "/faults")]
)
@pytest.mark.parametrize(
    "authorization",
    [None, "", "key", "Bearer", "Bearer ", "Bearer wrong", "Bearer key ", "bearer key", "Bearer kéy"],
)
def test_who_does_not_know_the_key_commands_nothing(
    world: World, method_and_path: tuple[str, str], authorization: str | None
) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    world.faults.add(FaultRule(kind=FaultKind.DROP))

    response, answer = world.request(*method_and_path, '{"kind":"delay","delay_s":1}', headers)

    assert (response.status, json.loads(answer)["ErrorCode"]) == (401, "Unauthorized")
    assert (world.published, world.faults.deliveries("submit", b"")) == ([], ())


def test_two_keys_are_none(world: World) -> None:
    port = urlsplit(world.gateway.url).port or 0
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(
            b"DELETE /faults HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            b"Authorization: Bearer wrong\r\nAuthorization: Bearer key\r\n\r\n"
        )

        assert connection.makefile("rb").readline().split()[1] == b"401"


def test_web_pages_cannot_command_the_local_cloud(world: World) -> None:
    foreign = KEY | {"Origin": "https://evil.example"}
    response, _ = world.request("POST", "/faults", '{"kind":"drop"}', foreign)

    assert response.status == 403
    assert world.faults.deliveries("submit", b"") == (0.0,)


def test_its_own_facts_are_json(world: World) -> None:
    response, answer = world.request("GET", "/status.json")

    assert response.headers["Content-Type"] == "application/json"
    assert json.loads(answer) == {"functions": []}


def test_the_status_has_every_function_its_numbers_and_its_log(tmp_path: Path) -> None:
    logs = {"submit": tmp_path / "submit.log", "page": tmp_path / "page.log"}
    counts = {"submit": InvocationCounts(succeeded=41, failed=42, dead_lettered=43, queued=44, running=45)}

    found = status(
        logs,
        counts,
        services={"Ark": "http://127.0.0.1:9"},
        dead_letters=tmp_path / "dead-letters.jsonl",
        interrupted={"timers": "full"},
    )

    page, submit = found["functions"]  # type: ignore[misc]
    assert (submit["name"], submit["log"]) == ("submit", str(tmp_path / "submit.log"))
    assert [submit[each] for each in ("succeeded", "failed", "dead_lettered", "queued", "running")] == [
        *range(41, 46)
    ]
    assert (page["succeeded"], found["dead_letters"]) == (0, 43)
    assert found["interrupted"] == {"timers": "full"}
    assert found["services"] == {"Ark": "http://127.0.0.1:9"}


@pytest.fixture
def site() -> Iterator[World]:
    """A local cloud whose address is that of a function, too."""
    pool, faults = Pool(), DeliveryFaults()
    with Gateway(
        call=pool.http,
        triggers=[Http()],
        status=dict,
        publish=lambda _: [],
        faults=faults,
        api_key="key",
        site="callback",
    ) as gateway:
        yield World(gateway, pool, faults, [])


def test_at_its_own_address_a_function_is_shown_and_not_downloaded(site: World) -> None:
    shown, _ = site.request("POST", "/api/jobs?offset=1")
    downloaded, _ = site.request("POST", "/callback/api/jobs")

    assert [seen[1] for seen in site.pool.seen] == ["/api/jobs?offset=1", "/api/jobs"]
    assert shown.headers["Content-Disposition"] == "inline"
    assert downloaded.headers["Content-Disposition"] == "attachment"


@pytest.mark.parametrize(
    ("origin", "target", "is_let_in"),
    [
        ("http://127.0.0.1:{port}", "/api/jobs", True),
        ("http://localhost:{port}", "/api/jobs", False),
        ("http://127.0.0.1", "/api/jobs", False),
        ("https://127.0.0.1:{port}", "/api/jobs", False),
        ("http://127.0.0.1:{port}", "/faults", False),
        ("http://127.0.0.1:{port}", "/callback/x", False),
        ("http://127.0.0.1:{port}.evil.example", "/api/jobs", False),
        ("null", "/api/jobs", False),
    ],
)
def test_only_its_own_pages_ask_the_function_and_nothing_else(
    site: World, origin: str, target: str, is_let_in: bool
) -> None:
    port = urlsplit(site.gateway.url).port

    response, _ = site.request("POST", target, b"", {"Origin": origin.format(port=port)})

    assert (response.status != 403, bool(site.pool.seen)) == (is_let_in, is_let_in)


def test_its_urls_name_the_function(world: World) -> None:
    assert world.gateway.url_of("callback") == f"{world.gateway.url}/callback"


def test_stop_frees_the_port(world: World) -> None:
    port = urlsplit(world.gateway.url).port or 0

    world.gateway.stop()

    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), 1)
