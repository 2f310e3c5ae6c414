"""Function Compute's runtimes, with the same handlers: built-in 3.10 and 3.12, custom over HTTP."""

import http.client
import importlib
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from tempfile import NamedTemporaryFile
from types import SimpleNamespace

import pytest

from shared.runtime.custom.loading import HandlerNotLoadable, load_handler
from tests.support.processes import started
from tests.support.waiting import PATIENCE_S

ROOT = Path(__file__).parents[2]

HANDLERS = """
    import os
    import threading

    from flask import Flask, Response, request

    from shared.problems.exceptions import TransientError
    from shared.runtime.context import FcContext
    from shared.runtime.event_trigger import event_handler
    from shared.runtime.http_trigger import context_of, http_handler
    from tests.support.waiting import PATIENCE_S

    VALUE = "not callable"
    both_inside = threading.Barrier(2)

    @event_handler
    def echo(event: bytes, context: FcContext) -> object:
        return {"event": event.decode(), "request_id": context.request_id, "region": context.region,
                "key_id": context.credentials.access_key_id}

    @event_handler
    def silent(event: bytes, context: FcContext) -> object:
        return None

    @event_handler
    def fail(event: bytes, context: FcContext) -> object:
        secret = context.credentials.access_key_secret.get_secret_value()
        raise TransientError(f"try again, not with {secret}")

    def plain(event, context):
        raise ValueError("plain " + context.credentials.access_key_secret.get_secret_value())

    def meet(event, context):
        both_inside.wait(timeout=0.3 if event == b"alone" else PATIENCE_S)
        return "met"

    def slow(event, context):
        print("inside", flush=True)
        with open(event.decode()) as gate:  # a named pipe: held until the test opens its other end
            return gate.read()

    def no_struct(event, context):
        return "text"

    def app() -> Flask:
        flask = Flask("little")

        @flask.route("/", defaults={"rest": ""}, methods=["GET", "POST", "PUT"])
        @flask.route("/<path:rest>", methods=["GET", "POST", "PUT"])
        def echo(rest: str):
            if rest == "binary":
                return Response(request.get_data(), status=201, mimetype="application/octet-stream")
            return {"rest": rest, "args": request.args, "body": request.get_data().hex(),
                    "method": request.method, "headers": sorted(name.lower() for name, _ in request.headers),
                    "request_id": context_of(request.environ).request_id}

        return flask

    web = http_handler(app)
"""

CREDENTIALS = {
    "ALIBABA_CLOUD_ACCESS_KEY_ID": "ID",
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "key-secret",
    "ALIBABA_CLOUD_SECURITY_TOKEN": "sts-token",
}
FC_HEADERS = {
    "x-fc-request-id": "r-1",
    "x-fc-region": "cn-hangzhou",
    "x-fc-access-key-id": "ID",
    "x-fc-access-key-secret": "key-secret",
    "x-fc-security-token": "sts-token",
}


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the module ``little`` and some that cannot be loaded."""
    tmp_path = tmp_path_factory.mktemp("code")
    (tmp_path / "little.py").write_text(textwrap.dedent(HANDLERS))
    (tmp_path / "broken.py").write_text("raise RuntimeError('no luck')\n")
    (tmp_path / "needy.py").write_text("import not_there\n")
    (tmp_path / "syntax.py").write_text("def\n")
    (tmp_path / "nested").mkdir()
    (tmp_path / "nested" / "index.py").write_text("def handler(event, context):\n    return 'nested'\n")
    return tmp_path


class Running:
    """A server process and the address on which it listens."""

    def __init__(self, process: subprocess.Popen[str], port: int, errors: Path) -> None:
        self.process = process
        self.port = port
        self._errors = errors

    def send(
        self, method: str, target: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[http.client.HTTPResponse, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            connection.request(method, target, body, {**FC_HEADERS, **(headers or {})})
            response = connection.getresponse()
            return response, response.read()
        finally:
            connection.close()

    def log(self) -> str:
        return self._errors.read_text()


def command(handler: str, *options: str) -> list[str]:
    return [sys.executable, "-m", "shared.runtime.custom.server", handler, "--host", "127.0.0.1", *options]


def environment(code: Path) -> dict[str, str]:
    return {
        "PYTHONPATH": os.pathsep.join([str(code), str(ROOT)]),
        "PATH": os.defpath,
        "PYTHONWARNINGS": "error",
    }


@contextmanager
def running(code: Path, handler: str, *options: str) -> Iterator[Running]:
    with (
        NamedTemporaryFile(dir=code) as stderr,
        started(command(handler, "--port", "0", *options), env=environment(code), stderr=stderr) as process,
    ):
        line = first_line(process)
        log_path = Path(stderr.name)
        assert line.startswith("listening on http://127.0.0.1:"), log_path.read_text()
        yield Running(process, int(line.rpartition(":")[2]), log_path)


Servers = Callable[[str], Running]


@pytest.fixture(scope="module")
def serving(code: Path) -> Iterator[Servers]:
    """One server for each handler, started once; no test may stop it."""
    with ExitStack() as stack:
        yield cache(lambda handler: stack.enter_context(running(code, f"little.{handler}")))


def first_line(process: subprocess.Popen[str]) -> str:
    readable, _, _ = select.select([process.stdout], [], [], PATIENCE_S)
    assert readable, "the server printed nothing"
    return process.stdout.readline().strip()


# One body of cases for three runtimes: (handler, event) to ("ok", result) or ("error", body).

Invoke = Callable[[str, bytes], tuple[str, object]]


def invoke_here(context: object) -> Invoke:
    def invoke(name: str, event: bytes) -> tuple[str, object]:
        handler = getattr(importlib.import_module("little"), name)
        try:
            return "ok", json.loads(json.dumps(handler(event, context)))
        except Exception as error:  # noqa: BLE001 (this stands for the platform)
            return "error", {"errorMessage": str(error), "errorType": type(error).__name__}

    return invoke


@pytest.fixture(params=["builtin-3.10", "builtin-3.12", "custom"])
def invoke(
    request: pytest.FixtureRequest, code: Path, serving: Servers, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Invoke]:
    for name in CREDENTIALS:
        monkeypatch.delenv(name, raising=False)
    if request.param == "custom":

        def over_http(name: str, event: bytes) -> tuple[str, object]:
            response, body = serving(name).send("POST", "/invoke", event)
            return ("error" if response.getheader("x-fc-status") else "ok"), json.loads(body)

        yield over_http
        return
    monkeypatch.syspath_prepend(code)
    context = SimpleNamespace(request_id="r-1", region="cn-hangzhou", account_id="1")
    if request.param == "builtin-3.10":
        context.credentials = SimpleNamespace(
            access_key_id="ID", access_key_secret="key-secret", security_token="sts-token"
        )
    else:
        for name, value in CREDENTIALS.items():
            monkeypatch.setenv(name, value)
    yield invoke_here(context)
    sys.modules.pop("little", None)


def test_an_event_reaches_the_handler_with_its_context(invoke: Invoke):
    assert invoke("echo", "文\u2028{}".encode()) == (
        "ok",
        {"event": "文\u2028{}", "request_id": "r-1", "region": "cn-hangzhou", "key_id": "ID"},
    )


def test_no_result_is_a_result(invoke: Invoke):
    assert invoke("silent", b"") == ("ok", {"status": "ok"})


def test_a_failure_reaches_the_platform_without_secrets(invoke: Invoke):
    kind, error = invoke("fail", b"{}")

    assert kind == "error"
    assert error["errorMessage"] == "TransientError: try again, not with **********"


def test_an_http_event_is_answered_with_the_struct(invoke: Invoke):
    kind, struct = invoke("web", b'{"rawPath":"/a%20b","requestContext":{"http":{"method":"GET"}}}')

    assert (kind, struct["statusCode"]) == ("ok", 200)
    assert json.loads(struct["body"])["rest"] == "a b"


# What only a custom runtime does.


def test_a_failed_invocation_is_told_as_function_compute_expects_it(serving: Servers):
    server = serving("plain")
    response, body = server.send("POST", "/invoke", b"{}")

    error = json.loads(body)
    assert (response.status, response.getheader("x-fc-status")) == (404, "404")
    assert (error["errorType"], error["errorMessage"]) == ("ValueError", "plain **********")
    assert error["stackTrace"][-1][2] == "in plain"


def test_the_log_shows_each_invocation_and_no_secret(code: Path):
    with running(code, "little.fail") as server:
        server.send("POST", "/invoke", b"{}")
        log = server.log()

    lines = [line for line in log.split("\n") if line]
    assert lines[0] == "FC Invoke Start RequestId: r-1"
    assert lines[-1] == "FC Invoke End RequestId: r-1, Error: Unhandled function error"
    assert [json.loads(line)["event"] for line in lines[1:-1]] == ["invocation.started", "invocation.failed"]
    assert "key-secret" not in log


def test_lifecycle_calls_are_answered(serving: Servers):
    server = serving("echo")
    assert server.send("POST", "/initialize")[0].status == 200
    assert server.send("GET", "/pre-stop")[0].status == 200


def test_the_control_path_decides_what_a_request_is(serving: Servers):
    server = serving("web")
    _, body = server.send("POST", "/invoke", b"x", {"x-fc-control-path": "/http-invoke"})

    assert json.loads(body)["rest"] == "invoke"


def test_an_http_request_passes_through(serving: Servers):
    server = serving("web")
    _, body = server.send("PUT", "/%E6%94%B6%252F?a=1&a=2&%E5%90%8D=%26", b"\xff\x00")

    got = json.loads(body)
    assert (got["rest"], got["args"], got["method"]) == ("收%2F", {"a": "1,2", "名": "&"}, "PUT")
    assert (got["body"], got["request_id"]) == ("ff00", "r-1")
    assert not [name for name in got["headers"] if name.startswith("x-fc-")]


def test_a_binary_answer_passes_through_unchanged(serving: Servers):
    every_byte = bytes(range(256))

    server = serving("web")
    response, body = server.send("POST", "/binary", every_byte)

    assert (response.status, body) == (201, every_byte)


def test_an_answer_that_is_no_http_response_is_a_bad_gateway(serving: Servers):
    server = serving("no_struct")
    assert server.send("GET", "/")[0].status == 502
    assert server.send("POST", "/invoke", b"")[1] == b"text"


def test_a_connection_is_kept_and_chunked_bodies_are_read(serving: Servers):
    server = serving("echo")
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_S)
    connection.request("POST", "/invoke", iter([b"a", b"b"]), FC_HEADERS, encode_chunked=True)
    first = json.loads(connection.getresponse().read())
    used = connection.sock
    connection.request("POST", "/invoke", b"c", {**FC_HEADERS, "Expect": "100-continue"})
    second = json.loads(connection.getresponse().read())
    same = connection.sock is used
    connection.close()

    assert (first["event"], second["event"], same) == ("ab", "c", True)


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"POST /invoke HTTP/1.1\r\nHost: x\r\nContent-Length: lots\r\n\r\n",
        b"POST /invoke HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n",
        b"POST /invoke HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"nonsense and more\r\n\r\n",
    ],
)
def test_a_request_that_cannot_be_read_is_refused_and_the_server_lives_on(
    serving: Servers, request_bytes: bytes
):
    server = serving("silent")
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_S) as raw:
        raw.sendall(request_bytes)
        answer = b"".join(iter(lambda: raw.recv(65536), b""))
    after, _ = server.send("POST", "/invoke", b"")

    assert b" 400 " in answer.partition(b"\r\n")[0]
    assert after.status == 200


def both(server: Running, event: bytes) -> list[int]:
    """The statuses of two invocations sent at once."""
    statuses: list[int] = []
    threads = [
        threading.Thread(target=lambda: statuses.append(server.send("POST", "/invoke", event)[0].status))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    return statuses


def test_invocations_run_at_once_only_if_asked_for(code: Path):
    with running(code, "little.meet", "--concurrency", "2") as server:
        assert both(server, b"") == [200, 200]
    with running(code, "little.meet") as server:
        assert both(server, b"alone") == [404, 404]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_signal_lets_the_invocation_finish(code: Path, tmp_path: Path, number: signal.Signals):
    answers: list[bytes] = []
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    with running(code, "little.slow") as server:
        idle = socket.create_connection(("127.0.0.1", server.port))
        thread = threading.Thread(
            target=lambda: answers.append(server.send("POST", "/invoke", bytes(gate))[1])
        )
        thread.start()
        assert first_line(server.process) == "inside"

        server.process.send_signal(number)
        gate.write_text("finished")

        assert server.process.wait(PATIENCE_S) == 0
        thread.join(PATIENCE_S)
        idle.close()
    assert answers == [b"finished"]


def test_a_handler_may_be_named_by_its_path(code: Path):
    with running(code, "nested/index.handler") as server:
        assert server.send("POST", "/invoke", b"")[1] == b"nested"


def test_the_port_comes_from_the_platform(code: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    env = {**environment(code), "FC_CUSTOM_LISTEN_PORT": str(port)}
    with started(command("little.echo"), env=env) as process:
        assert first_line(process) == f"listening on http://127.0.0.1:{port}"


@pytest.mark.parametrize(
    ("handler", "reason"),
    [
        ("little", "is malformed"),
        ("little.1x", "is malformed"),
        ("absent.index.handler", "there is no module 'absent'"),
        ("nested.absent.handler", "there is no module 'nested.absent'"),
        ("little.absent", "has no function 'absent'"),
        ("little.VALUE", "'VALUE' is a str, not callable"),
        ("broken.handler", "importing broken failed: RuntimeError: no luck"),
        ("needy.handler", "importing needy failed: ModuleNotFoundError: No module named 'not_there'"),
        ("syntax.handler", "importing syntax failed: SyntaxError"),
    ],
)
def test_a_handler_that_cannot_be_loaded_is_refused_with_its_reason(
    code: Path, handler: str, reason: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.syspath_prepend(code)
    known = set(sys.modules)

    with pytest.raises(HandlerNotLoadable, match=re.escape(reason)):
        load_handler(handler)

    for name in set(sys.modules) - known:
        del sys.modules[name]


def test_a_server_without_its_handler_ends_and_says_why(code: Path):
    done = subprocess.run(
        command("broken.handler", "--port", "0"),
        cwd=ROOT,
        env=environment(code),
        capture_output=True,
        timeout=PATIENCE_S,
        check=False,
    )

    (line,) = done.stderr.decode().splitlines()
    assert (done.returncode, done.stdout) == (1, b"")
    assert json.loads(line)["event"] == "handler.refused"
    assert "importing broken failed: RuntimeError: no luck" in json.loads(line)["reason"]
