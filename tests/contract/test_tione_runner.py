"""The runner alone, as a process beside a model server of OpenAI's form."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes import started
from tests.support.upstream_server import UpstreamServer, answer_to, nested
from tests.support.waiting import PATIENCE_S, wait_until

ROOT = Path(__file__).parents[2]
RUNNER = ROOT / "shared/providers/tione/runner"
MODEL_SERVER = ROOT / "tests/support/model_server.py"
KEY = "key-of-the-model-server"
PROMPT = "a-prompt-that-no-log-may-hold"


@dataclass
class Folder:
    """The folders of one container."""

    root: Path

    @property
    def output(self) -> Path:
        return self.root / "output"

    def put(self, lines: bytes, **task: Any) -> None:
        # Deeper than the mount, as a mounted bucket may show it.
        data = self.root / "input" / "data" / "1-00001"
        data.mkdir(parents=True, exist_ok=True)
        (data / "requests.jsonl").write_bytes(lines)
        told = {"format": 1, "name": "job-1-00001", "model": "m", "requests": lines.count(b"\n")} | task
        told.setdefault("input_sha256", hashlib.sha256(lines).hexdigest())
        (data / "task.json").write_text(json.dumps(told))

    @contextmanager
    def started(self, *command: str) -> Iterator[subprocess.Popen[str]]:
        environment = os.environ | {"RUNNER_API_KEY": KEY}
        arguments = [*(command or (sys.executable, str(RUNNER / "runner.py"))), str(self.root)]
        with (
            (self.root / "log").open("wb") as log,
            started(arguments, env=environment, stderr=log, stdout=log) as process,
        ):
            yield process

    def run(self, *command: str) -> int:
        with self.started(*command) as process:
            return process.wait(PATIENCE_S)

    @property
    def log(self) -> str:
        return (self.root / "log").read_text()

    def lines(self, name: str) -> list[dict[str, Any]]:
        path = self.output / name
        whole, _, _torn = path.read_bytes().rpartition(b"\n") if path.exists() else (b"", b"", b"")
        return [json.loads(line) for line in whole.split(b"\n") if line]

    @property
    def answered(self) -> list[str]:
        return sorted(line["custom_id"] for line in self.lines("results.jsonl"))

    @property
    def manifest(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.output / "manifest.json").read_bytes())
        return found


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@pytest.fixture
def upstream() -> Iterator[UpstreamServer]:
    server = UpstreamServer()
    yield server
    server.close()


def requests(count: int, said: str = PROMPT) -> bytes:
    return b"".join(request(name, said) for name in ids(count))


def request(custom_id: str, said: str, **fields: Any) -> bytes:
    body = {"model": "m", "messages": [{"role": "user", "content": said}]}
    line = {"custom_id": custom_id, "method": "POST", "url": "/v1/chat/completions", "body": body}
    return json.dumps(line | fields).encode() + b"\n"


def ids(count: int) -> list[str]:
    return [f"r{number:04}" for number in range(count)]


def with_command(folder: Folder, *dies_at: int) -> dict[str, Any]:
    """A server that the runner starts; it answers where nothing listens yet."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    counts = folder.root / "count"
    command = [sys.executable, str(MODEL_SERVER), str(port), str(counts), *map(str, dies_at)]
    return {"command": command, "url": f"http://127.0.0.1:{port}/v1", "ready_within_s": PATIENCE_S}


def test_a_thousand_lines_are_answered_and_the_manifest_says_so_last(
    folder: Folder, upstream: UpstreamServer
) -> None:
    folder.put(requests(1000), concurrency=8, server={"url": upstream.url})

    assert folder.run("sh", str(RUNNER / "start.sh")) == 0

    assert folder.answered == ids(1000)
    manifest, written = folder.manifest, (folder.output / "results.jsonl").read_bytes()
    assert manifest["complete"] is True
    assert (manifest["name"], manifest["reason"]) == ("job-1-00001", "")
    assert (manifest["total"], manifest["succeeded"], manifest["failed"]) == (1000, 1000, 0)
    assert manifest["results"]["sha256"] == hashlib.sha256(written).hexdigest()
    assert manifest["results"]["bytes"] == len(written)
    assert {path.name for path in folder.output.iterdir()} == {
        "results.jsonl",
        "errors.jsonl",
        "manifest.json",
    }
    assert {key for _, key, _ in upstream.seen} == {f"Bearer {KEY}"}
    assert KEY not in folder.log + json.dumps(manifest)
    assert PROMPT not in folder.log.lower()


def test_what_may_pass_is_asked_again_and_a_refusal_is_an_error_line(
    folder: Folder, upstream: UpstreamServer
) -> None:
    answer = upstream.reply
    busy = iter([(429, b"{}"), (503, b"busy"), None, (200, b"no JSON")])
    replies = {
        "busy": lambda: next(busy, None) or answer("x"),
        "bad": lambda: (400, b'{"error": {"code": "e"}}'),
    }
    upstream.reply = lambda said: replies.get(said, lambda: answer(said))()
    lines = (
        request("good", "hi")
        + request("b", "busy")
        + request("r", "bad")
        + request("u", "x", url="/../v1/x")
        + request("s", "x", url="/v1/x y")
    )
    folder.put(lines + b"\n" + b"no request\n", requests=6, concurrency=1, server={"url": upstream.url})

    assert folder.run() == 0

    assert folder.answered == ["b", "good"]
    errors = {line["custom_id"]: line for line in folder.lines("errors.jsonl")}
    assert errors["r"]["response"]["status_code"] == 400
    assert errors["r"]["response"]["body"] == {"error": {"code": "e"}}
    assert errors["u"]["error"]["code"] == errors["line-7"]["error"]["code"] == "invalid_request"
    assert (folder.manifest["complete"], folder.manifest["failed"]) == (True, 4)


def test_numbers_that_json_does_not_have_do_not_cost_an_answer(
    folder: Folder, upstream: UpstreamServer
) -> None:
    upstream.reply = lambda _: (200, b'{"choices": [], "logprob": -Infinity, "score": NaN}')
    folder.put(request("a", "hi"), server={"url": upstream.url})

    assert folder.run() == 0

    written = (folder.output / "results.jsonl").read_bytes()
    assert b'"body":{"choices":[],"logprob":null,"score":null}' in written


def test_an_answer_that_is_nested_too_deep_is_kept_as_a_text_and_asked_for_once(
    folder: Folder, upstream: UpstreamServer
) -> None:
    # Python reads and writes the first; of the others it writes none, or it depends.
    depths = [499, 500, 700, 985, 1010, 5000]
    upstream.reply = lambda said: (200, nested(int(said)))
    lines = b"".join(request(str(depth), str(depth)) for depth in depths)
    folder.put(lines, server={"url": upstream.url})

    assert folder.run() == 0

    bodies = {int(line["custom_id"]): line["response"]["body"] for line in folder.lines("results.jsonl")}
    assert bodies.pop(499) == json.loads(nested(499))
    assert bodies == {depth: {"unread_answer": nested(depth).decode()} for depth in depths[1:]}
    assert sorted(map(int, upstream.asked)) == depths


def test_a_row_that_is_never_answered_ends_when_its_time_is_over(
    folder: Folder, upstream: UpstreamServer
) -> None:
    upstream.reply = lambda _: (503, b'{"error": {"code": "overloaded"}}')
    folder.put(request("a", "hi"), timeout_s=7, server={"url": upstream.url})

    assert folder.run() == 0

    assert [line["response"]["status_code"] for line in folder.lines("errors.jsonl")] == [503]


def dripping() -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
    while True:
        time.sleep(0.05)
        yield b" "


def test_an_answer_without_an_end_ends_when_the_time_of_its_row_is_over(
    folder: Folder, upstream: UpstreamServer
) -> None:
    answer = upstream.reply
    upstream.reply = lambda said: dripping() if said == "drip" else answer(said)
    lines = request("a", "drip") + request("b", "hi")
    folder.put(lines, concurrency=1, timeout_s=5, server={"url": upstream.url})

    assert folder.run() == 0

    assert [line["error"]["code"] for line in folder.lines("errors.jsonl")] == ["timeout"]
    assert (folder.answered, folder.manifest["complete"]) == (["b"], True)
    assert upstream.asked == ["drip", "hi"]


@pytest.mark.parametrize(
    "head",
    [
        b"Transfer-Encoding: chunked\r\n\r\n-5\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 99 + b"\r\n",
        b"Content-Length: " + b"9" * 15 + b"\r\n\r\n",
    ],
)
def test_an_answer_of_absurd_length_is_none_and_the_thread_that_had_it_goes_on(
    folder: Folder, upstream: UpstreamServer, head: bytes
) -> None:
    answer = upstream.reply
    odd = iter([[b"HTTP/1.1 200 OK\r\n", head, b"abc"]])
    upstream.reply = lambda said: next(odd, None) or answer(said)
    folder.put(requests(2), concurrency=1, server={"url": upstream.url})

    assert folder.run() == 0

    assert folder.answered == ids(2)


def test_a_key_that_the_server_repeats_is_kept_nowhere(folder: Folder, upstream: UpstreamServer) -> None:
    upstream.reply = lambda _: (401, json.dumps({"error": {"message": f"Wrong key {KEY}."}}).encode())
    folder.put(request("a", "hi"), server={"url": upstream.url})

    assert folder.run() == 0

    (error,) = folder.lines("errors.jsonl")
    assert error["response"]["body"] == {"error": {"message": "Wrong key ***."}}


@contextmanager
def half_done(folder: Folder, upstream: UpstreamServer) -> Iterator[subprocess.Popen[str]]:
    """A runner that has answered half of its lines, and hangs in the next ones."""
    answer = upstream.reply

    def reply(said: str) -> Any:
        if len(upstream.seen) > 50:
            upstream.gate.clear()
        return answer(said)

    upstream.reply = reply
    folder.put(requests(100), concurrency=2, server={"url": upstream.url})
    with folder.started() as process:
        wait_until(lambda: not upstream.gate.is_set() and upstream.open_calls == 2, "half of the lines")
        yield process


def test_a_runner_that_is_killed_leaves_no_manifest(folder: Folder, upstream: UpstreamServer) -> None:
    folder.output.mkdir()
    (folder.output / "manifest.json").write_text("of an earlier run")

    with half_done(folder, upstream):
        pass  # it is killed then

    assert len(folder.answered) >= 49
    assert not (folder.output / "manifest.json").exists()


def test_sigterm_lets_what_is_in_flight_end_and_takes_nothing_new(
    folder: Folder, upstream: UpstreamServer
) -> None:
    with half_done(folder, upstream) as process:
        process.send_signal(signal.SIGTERM)
        wait_until(lambda: "stopped" in folder.log, "the signal to be heard")
        upstream.reply = answer_to
        upstream.gate.set()

        assert process.wait(PATIENCE_S) == 0
    assert (folder.manifest["complete"], folder.manifest["reason"]) == (False, "stopped")
    assert 50 <= folder.manifest["succeeded"] == len(folder.answered) < 100


def test_a_server_that_dies_is_started_again(folder: Folder) -> None:
    server = with_command(folder, 30, 60)
    folder.put(requests(100), concurrency=4, server=server)

    assert folder.run() == 0

    assert folder.answered == ids(100)
    assert (folder.manifest["complete"], folder.manifest["server_restarts"]) == (True, 2)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(server["url"].split(":")[2].split("/")[0])))


def test_a_server_that_dies_once_too_often_leaves_rows_open(folder: Folder) -> None:
    folder.put(requests(100), concurrency=4, server=with_command(folder, 30, 40, 50))

    assert folder.run() == 0

    assert (folder.manifest["complete"], folder.manifest["reason"]) == (False, "server_died")
    assert 0 < len(folder.answered) < 50
    assert folder.lines("errors.jsonl") == []


def test_a_server_that_is_slow_to_end_does_not_hold_up_the_manifest(folder: Folder) -> None:
    """After a stop, nobody knows how long the container has."""
    server, pid = with_command(folder), folder.root / "pid"
    told = f"echo $$ > {pid}; trap '' TERM; exec {shlex.join(server['command'])}"
    folder.put(requests(3), server=server | {"command": ["sh", "-c", told]})

    with folder.started() as process:
        wait_until((folder.output / "manifest.json").exists, "the manifest")
        is_over = process.poll() is not None
        os.kill(int(pid.read_text()), signal.SIGKILL)

        assert process.wait(PATIENCE_S) == 0
    assert not is_over
    assert folder.answered == ids(3)


@pytest.mark.parametrize(
    ("server", "reason"),
    [
        ({"command": ["no-such-program"]}, "server_died"),
        ({"url": "http://127.0.0.1:9/v1", "ready_within_s": 0.1}, "server_not_ready"),
        ({"url": "http://127.0.0.1:99999/v1", "ready_within_s": 0.1}, "server_not_ready"),
        ({"command": ["\0"]}, "server_not_ready"),
    ],
)
def test_a_server_that_never_is_there_costs_nothing(folder: Folder, server: Any, reason: str) -> None:
    folder.put(requests(3), server=server)

    assert folder.run() == 4

    assert (folder.manifest["reason"], folder.manifest["total"]) == (reason, 3)


def test_a_server_of_another_model_is_not_asked(folder: Folder, upstream: UpstreamServer) -> None:
    folder.put(requests(3), model="other", server={"url": upstream.url, "ready_within_s": 5})

    assert folder.run() == 4

    assert (folder.manifest["reason"], folder.manifest["model"]) == ("model_not_served", "other")
    assert upstream.seen == []


@pytest.mark.parametrize(
    ("task", "code", "reason"),
    [
        ({"deadline": "2020-01-01T00:00:00Z"}, 4, "deadline"),
        ({"input_sha256": "0" * 64}, 3, "input_changed"),
        ({"requests": 4}, 3, "input_changed"),
    ],
)
def test_nothing_is_sent_too_late_or_of_another_input(
    folder: Folder, upstream: UpstreamServer, task: Any, code: int, reason: str
) -> None:
    folder.put(
        requests(3), server={"url": upstream.url, "command": ["touch", str(folder.root / "ran")]}, **task
    )

    assert folder.run() == code

    assert (folder.manifest["complete"], folder.manifest["reason"]) == (False, reason)
    assert upstream.seen == []
    assert not (folder.root / "ran").exists()


def test_it_needs_nothing_but_an_old_python() -> None:
    tree = ast.parse((RUNNER / "runner.py").read_bytes(), feature_version=(3, 8))
    imported = {
        (each.module if isinstance(each, ast.ImportFrom) else each.names[0].name).partition(".")[0]
        for each in ast.walk(tree)
        if isinstance(each, (ast.Import, ast.ImportFrom))
    }

    assert imported <= sys.stdlib_module_names
