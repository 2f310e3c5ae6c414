"""Answers a file of requests with a model server of OpenAI's form, and says what it has done.

It runs in somebody's container: standard library alone, Python 3.8 or later, this one file.
README.md beside it describes the folders and ``task.json``.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import logging
import math
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple
from urllib.parse import urlsplit

log = logging.getLogger("runner")

FORMAT = 1
TASK, REQUESTS = "task.json", "requests.jsonl"
RESULTS, ERRORS, MANIFEST = "results.jsonl", "errors.jsonl", "manifest.json"
# Sent to a server that wants one; never part of a file, never logged.
KEY_VARIABLE = "RUNNER_API_KEY"

# Exit codes. What was answered stands in the manifest, and a folder of output is sure to be kept
# after a success alone: so all is well once there is one answer.
OK, WRONG_INPUT, NO_ANSWERS = 0, 3, 4
# Why rows are left open, as the manifest tells it.
STOPPED, DEADLINE, INPUT_CHANGED = "stopped", "deadline", "input_changed"
SERVER_NOT_READY, SERVER_DIED, MODEL_NOT_SERVED = "server_not_ready", "server_died", "model_not_served"

RESTARTS = 2
IN_FLIGHT_S = 20.0  # for requests that are being answered when the end comes
LOOK_S = 0.2
CONNECT_S = 10.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
WRONG_MODEL_S = 60.0  # so long a server may list other models than the one that is asked for
PROGRESS_S = 60.0
MOST_THREADS = 1000
MOST_LEVELS = 500  # of deeper ones it depends on the caller's stack whether they can be written again
PATH = re.compile(r"/v1/[A-Za-z0-9._/-]+")
SERVER_ENDS_S = 10.0
OK_STATUS, ERRORS_FROM = 200, 500
LATER = frozenset((408, 425, 429))  # and 500 and more: the same request may be answered later
# What comes of a server that does not speak HTTP as it should: of absurd lengths, the last three.
NO_ANSWER = (OSError, http.client.HTTPException, ValueError, OverflowError, MemoryError)


class Task:
    """What ``task.json`` says; all but the model may be left out."""

    def __init__(self, told: dict[str, Any]) -> None:
        if told.get("format", FORMAT) != FORMAT:
            raise ValueError("task.json has a format that this runner does not know")
        server = told.get("server") or {}
        self.name = str(told.get("name", ""))
        self.model = str(told["model"])
        self.requests: int | None = told.get("requests")
        self.input_sha256: str | None = told.get("input_sha256")
        self.deadline = _time(told["deadline"]) if told.get("deadline") else None
        self.concurrency = min(max(1, int(told.get("concurrency") or 16)), MOST_THREADS)
        self.timeout_s = float(told.get("timeout_s") or 600)
        self.command: list[str] | None = server.get("command") or None
        self.url = str(server.get("url") or "http://127.0.0.1:8000/v1").rstrip("/")
        self.ready = str(server.get("ready") or "/models")
        self.ready_within_s = float(server.get("ready_within_s") or 1800)

    def is_over(self) -> bool:
        return self.deadline is not None and time.time() >= self.deadline


class Reply(NamedTuple):
    """What a server answered: status 0 if nothing; no ``body`` if that is no JSON object."""

    status: int
    body: dict[str, Any] | None = None
    request_id: str = ""
    said: str = ""

    @property
    def is_answer(self) -> bool:
        return self.status == OK_STATUS and self.body is not None

    @property
    def may_pass(self) -> bool:
        return (
            self.status in LATER
            or self.status >= ERRORS_FROM
            or (self.status <= OK_STATUS and not self.is_answer)
        )


class Connection:
    """Keeps one connection to the server open; for one thread."""

    def __init__(self, url: str) -> None:
        self._url = urlsplit(url)
        self._kept: http.client.HTTPConnection | None = None
        self._socket: socket.socket | None = None
        self._ends = math.inf
        self._is_cut = False

    def ask(self, method: str, path: str, body: bytes | None, timeout_s: float) -> Reply:
        """Send one request. An exception of ``NO_ANSWER`` says that no answer came."""
        self._is_cut, self._ends = False, time.monotonic() + timeout_s
        try:
            return self._ask_kept(method, path, body, timeout_s)
        except NO_ANSWER as error:
            self.close()
            if self._is_cut:
                raise TimeoutError("the answer did not end in time") from error
            raise
        finally:
            self._ends = math.inf

    def cut_if_late(self) -> None:
        """End an answer that comes drop by drop: no wait is long, but all of them are."""
        if self._socket is not None and time.monotonic() > self._ends:
            self._is_cut = True
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def _ask_kept(self, method: str, path: str, body: bytes | None, timeout_s: float) -> Reply:
        if self._kept is not None and self._kept.sock is not None:
            try:
                return self._ask(self._kept, method, path, body, timeout_s)
            except (ConnectionError, http.client.BadStatusLine):
                if self._is_cut:
                    raise
                self.close()  # servers close what was idle for long
        self._kept = self._opened(min(CONNECT_S, timeout_s))
        return self._ask(self._kept, method, path, body, timeout_s)

    def _opened(self, timeout_s: float) -> http.client.HTTPConnection:
        is_tls = self._url.scheme == "https"
        kind = http.client.HTTPSConnection if is_tls else http.client.HTTPConnection
        connection = kind(self._url.hostname or "127.0.0.1", self._url.port, timeout=timeout_s)
        connection.connect()
        self._socket = connection.sock
        return connection

    def _ask(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        body: bytes | None,
        timeout_s: float,
    ) -> Reply:
        headers = {"Content-Type": "application/json"}
        key = os.environ.get(KEY_VARIABLE)
        if key:
            headers["Authorization"] = "Bearer " + key
        if connection.sock is not None:
            connection.sock.settimeout(timeout_s)
        connection.request(method, self._url.path + path, body, headers)
        response = connection.getresponse()
        content = response.read()
        if self._is_cut:
            raise TimeoutError("the answer did not end in time")
        if key and response.status != OK_STATUS:
            # Some servers repeat the key that they refuse.
            content = content.replace(key.encode(), b"***")
        identity = response.getheader("x-request-id") or ""
        return Reply(response.status, _body_of(content), identity, content[:500].decode(errors="replace"))

    def close(self) -> None:
        if self._kept is not None:
            self._kept.close()
        self._kept = self._socket = None


class Output:
    """One file of result lines, with its hash; what is written is there if this process dies."""

    def __init__(self, path: Path) -> None:
        self._file: BinaryIO = path.open("wb", buffering=0)
        self._hash = hashlib.sha256()
        self.size_bytes = self.lines = 0

    def write(self, line: bytes) -> None:
        rest = memoryview(line)
        while rest:
            rest = rest[self._file.write(rest) :]
        self._hash.update(line)
        self.size_bytes += len(line)
        self.lines += 1

    def close(self) -> dict[str, Any]:
        os.fsync(self._file.fileno())
        self._file.close()
        return {"bytes": self.size_bytes, "sha256": self._hash.hexdigest(), "lines": self.lines}


class Outputs:
    """Answers and errors, in the order in which they come; nothing is written after the end."""

    def __init__(self, folder: Path) -> None:
        self._answers, self._errors = Output(folder / RESULTS), Output(folder / ERRORS)
        self._lock = threading.Lock()
        self._is_closed = False

    @property
    def counts(self) -> tuple[int, int]:
        return self._answers.lines, self._errors.lines

    def add(self, custom_id: str, reply: Reply) -> None:
        line = _result_line(custom_id, reply)
        with self._lock:
            if not self._is_closed:
                (self._answers if reply.is_answer else self._errors).write(line)

    def close(self) -> dict[str, Any]:
        with self._lock:
            self._is_closed = True
            return {"results": self._answers.close(), "errors": self._errors.close()}


class Server:
    """The model server: started if the task has a command, awaited, and started again if it dies.

    Attributes:
        given_up: Why there will be no more answers, if so.
        restarts: How often it was started again.
    """

    def __init__(self, task: Task) -> None:
        self._task = task
        self._process: subprocess.Popen[bytes] | None = None
        self.connection = Connection(task.url)
        self._is_ready = threading.Event()
        self._is_doubted = threading.Event()
        self._is_ending = threading.Event()
        self._starting = threading.Lock()
        self._began = time.monotonic()
        self.given_up = ""
        self.restarts = 0

    def watch(self) -> None:
        """Runs in a thread of its own until the end."""
        reason = SERVER_NOT_READY  # if this thread breaks off, or all others would wait for ever
        try:
            self._start()
            reason = self._until_ready()
            while not reason and not self._is_ending.wait(LOOK_S):
                if self._is_dead() or (self._is_doubted.is_set() and self._until_ready()):
                    reason = self._again()
        finally:
            self.given_up = reason
            self._is_ready.set()

    def is_ready(self, stop: threading.Event) -> bool:
        """Wait until it is; false if it will not be again, or the end has come."""
        while not self._is_ready.wait(LOOK_S):
            if stop.is_set() or self.given_up:
                return False
        return not self.given_up and not stop.is_set()

    def doubt(self) -> None:
        """A request got no answer: nothing more is sent until the server is seen to be there."""
        self._is_ready.clear()
        self._is_doubted.set()

    @property
    def seconds(self) -> float:
        """For how long it was there."""
        return round(time.monotonic() - self._began, 1)

    def end(self) -> None:
        self._is_ending.set()
        self._stop()

    def _start(self) -> None:
        with self._starting:
            self._process = None
            if self._task.command and not self._is_ending.is_set():
                log.info("starting the server: %s", self._task.command[0])
                try:
                    # Its own words go where ours go, which is the task's log.
                    self._process = subprocess.Popen(self._task.command, stdin=subprocess.DEVNULL)  # noqa: S603
                except OSError as error:
                    log.error("the server cannot be started: %s", error)  # noqa: TRY400

    def _stop(self) -> None:
        with self._starting:
            process = self._process
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(SERVER_ENDS_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _is_dead(self) -> bool:
        return bool(self._task.command) and (self._process is None or self._process.poll() is not None)

    def _again(self) -> str:
        """Start it again; why not, if so."""
        self._is_ready.clear()
        reason = SERVER_DIED
        while self._task.command and self.restarts < RESTARTS and not self._is_ending.is_set():
            self.restarts += 1
            log.warning("the server is gone; start %d of %d again", self.restarts, RESTARTS)
            self._stop()
            self._start()
            reason = self._until_ready()
            if reason != SERVER_DIED:
                break
        return reason

    def _until_ready(self) -> str:
        """Wait until it lists the model; why that will not come, if so."""
        self._is_doubted.clear()
        began, others_since = time.monotonic(), None
        while not self._is_ending.is_set():
            if self._is_dead():
                return SERVER_DIED
            models, now = self._models(), time.monotonic()
            if models is not None and self._task.model in models:
                self._is_ready.set()
                return ""
            others_since = (others_since or now) if models else None
            if others_since is not None and now - others_since > min(
                WRONG_MODEL_S, self._task.ready_within_s
            ):
                log.error(
                    "the server has no model %s, but %s", self._task.model, ", ".join(models or ())[:500]
                )
                return MODEL_NOT_SERVED
            if now - began > self._task.ready_within_s:
                return SERVER_NOT_READY
            self._is_ending.wait(LOOK_S)
        return ""

    def _models(self) -> list[str] | None:
        try:
            reply = self.connection.ask("GET", self._task.ready, None, CONNECT_S)
        except NO_ANSWER:
            return None
        listed = (reply.body or {}).get("data")
        if reply.status != OK_STATUS or not isinstance(listed, list):
            return None
        return [str(each["id"]) for each in listed if isinstance(each, dict) and "id" in each]


class Run:
    """One task, from its first line to its manifest."""

    def __init__(self, task: Task, requests: Path, output: Path) -> None:
        self._task, self._requests, self._output = task, requests, output
        self._stop = threading.Event()
        self._lines = _numbered(requests)
        self._taking = threading.Lock()
        self._signal = 0
        self._server = Server(task)
        self._outputs = Outputs(output)

    def __call__(self) -> int:
        # Only a number is kept: to set an event here could block what is just setting it.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._note)
        found = _input_of(self._requests)
        reason = self._why_not_begin(found)
        if not reason:
            reason = self._answer_all()
        try:
            # Before the server ends: after a stop, nobody knows how long the container has.
            self._write_manifest(found, reason)
        finally:
            self._server.end()
        answered = sum(self._outputs.counts)
        log.info("ended: %d of %d, %s", answered, found["lines"], reason or "complete")
        if reason == INPUT_CHANGED:
            return WRONG_INPUT
        return OK if answered or not reason else NO_ANSWERS

    def _note(self, number: int, _frame: object) -> None:
        self._signal = number

    def _why_not_begin(self, found: dict[str, Any]) -> str:
        task = self._task
        if task.input_sha256 not in (None, found["sha256"]) or task.requests not in (None, found["lines"]):
            return INPUT_CHANGED
        return self._why_end()

    def _why_end(self) -> str:
        if self._signal:
            return STOPPED
        return DEADLINE if self._task.is_over() else ""

    def _answer_all(self) -> str:
        """Why rows are left open, if so."""
        watch = threading.Thread(target=self._server.watch, daemon=True)
        connections = [Connection(self._task.url) for _ in range(self._task.concurrency)]
        workers = [threading.Thread(target=self._work, args=(each,), daemon=True) for each in connections]
        for thread in (watch, *workers):
            thread.start()
        reason, told_at = "", time.monotonic()
        while any(worker.is_alive() for worker in workers):
            reason = self._why_end()
            if reason:
                log.info("%s: takes no more rows", reason)
                break
            if time.monotonic() - told_at > PROGRESS_S:
                told_at = time.monotonic()
                log.info("answers %d, errors %d", *self._outputs.counts)
            for connection in (self._server.connection, *connections):
                connection.cut_if_late()
            time.sleep(LOOK_S)
        self._stop.set()
        until = time.monotonic() + IN_FLIGHT_S
        for worker in workers:
            worker.join(max(0.0, until - time.monotonic()))
        return reason or self._server.given_up

    def _work(self, connection: Connection) -> None:
        while self._server.is_ready(self._stop):
            with self._taking:
                taken = next(self._lines, None)
            if taken is None:
                return
            custom_id, path, body = _request_of(*taken)
            if body is None:
                self._outputs.add(custom_id, _no_answer("invalid_request", "The line is no request."))
                continue
            reply = self._ask(connection, path, body)
            if reply is not None:
                self._outputs.add(custom_id, reply)

    def _ask(self, connection: Connection, path: str, body: bytes) -> Reply | None:
        """The answer; ``None`` if the row stays open. Waiting for the server costs it no time."""
        spent_s, pause_s = 0.0, FIRST_PAUSE_S
        while self._server.is_ready(self._stop):
            began = time.monotonic()
            reply = self._tried(connection, path, body, max(1.0, self._task.timeout_s - spent_s))
            if not reply.may_pass:
                return reply
            spent_s += time.monotonic() - began + pause_s
            if spent_s >= self._task.timeout_s:
                return reply
            self._stop.wait(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
        return None

    def _tried(self, connection: Connection, path: str, body: bytes, timeout_s: float) -> Reply:
        try:
            return connection.ask("POST", path, body, timeout_s)
        except NO_ANSWER as error:
            self._server.doubt()
            # Before Python 3.10 it is socket.timeout, which is another class.
            code = "timeout" if "timeout" in type(error).__name__.lower() else "server_unavailable"
            return _no_answer(code, f"The model server gave no answer ({type(error).__name__}).")

    def _write_manifest(self, found: dict[str, Any], reason: str) -> None:
        files = self._outputs.close()
        succeeded, failed = files["results"]["lines"], files["errors"]["lines"]
        is_complete = succeeded + failed == found["lines"] and reason != INPUT_CHANGED
        manifest = {
            "format": FORMAT,
            "name": self._task.name,
            "model": self._task.model,
            "input_sha256": found["sha256"],
            "total": found["lines"],
            "succeeded": succeeded,
            "failed": failed,
            "complete": is_complete,
            "reason": "" if is_complete else reason,
            **files,
            "runner": hashlib.sha256(Path(__file__).read_bytes()).hexdigest(),
            "server_seconds": self._server.seconds,
            "server_restarts": self._server.restarts,
        }
        side = self._output / (MANIFEST + ".part")
        with side.open("wb") as file:
            file.write(json.dumps(manifest, indent=1).encode())
            file.flush()
            os.fsync(file.fileno())
        side.replace(self._output / MANIFEST)


def _time(text: str) -> float:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S%z").timestamp()


def _body_of(content: bytes) -> dict[str, Any] | None:
    """A reply; of one that is nested too deep its text, because it has cost the server its work."""
    try:
        return _json_object(content)
    except RecursionError:
        return {"unread_answer": content.decode(errors="replace")}


def _json_object(content: bytes) -> dict[str, Any] | None:
    """``RecursionError``: it is nested deeper than can be written again."""
    try:
        # Some servers write NaN and Infinity, which strict readers of a result would refuse.
        value = json.loads(content, parse_constant=lambda _: None)
    except ValueError:
        return None
    if content.count(b"[") + content.count(b"{") > MOST_LEVELS and _is_too_deep(value):
        raise RecursionError
    return value if isinstance(value, dict) else None


def _is_too_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MOST_LEVELS):
        objects = [each for each in level if isinstance(each, dict)]
        level = [child for each in level if isinstance(each, list) for child in each]
        level += [child for each in objects for child in each.values()]
    return bool(level)


def _no_answer(code: str, message: str) -> Reply:
    return Reply(0, {"error": {"code": code, "message": message}})


def _result_line(custom_id: str, reply: Reply) -> bytes:
    """In OpenAI's form, which has a server's refusals in the response and ours beside it."""
    response, error, body = None, None, reply.body
    if body is None:
        body = {"error": {"code": "server_error", "message": reply.said or "The answer cannot be read."}}
    if reply.status == 0 or (reply.status == OK_STATUS and not reply.is_answer):
        error = body["error"]
    else:
        response = {"status_code": reply.status, "request_id": reply.request_id, "body": body}
    line = {"id": reply.request_id or custom_id, "custom_id": custom_id, "response": response, "error": error}
    try:
        return json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
    except UnicodeEncodeError:  # a lone surrogate travels as an escape only
        return json.dumps(line, separators=(",", ":")).encode() + b"\n"


def _numbered(path: Path) -> Iterator[tuple[int, bytes]]:
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                yield number, line


def _input_of(path: Path) -> dict[str, Any]:
    digest, lines = hashlib.sha256(), 0
    with path.open("rb") as file:
        for line in file:
            digest.update(line)
            lines += bool(line.strip())
    return {"sha256": digest.hexdigest(), "lines": lines}


def _request_of(number: int, line: bytes) -> tuple[str, str, bytes | None]:
    """Id, path and body of a request; no body if the line is none."""
    try:
        request = _json_object(line) or {}
    except RecursionError:
        request = {}
    custom_id = str(request.get("custom_id", f"line-{number}"))
    url, body = str(request.get("url", "")), request.get("body")
    if not PATH.fullmatch(url) or ".." in url or not isinstance(body, dict):
        return custom_id, "", None
    # An answer that comes in pieces would be no JSON.
    whole = {name: value for name, value in body.items() if name not in ("stream", "stream_options")}
    return custom_id, url[len("/v1") :], json.dumps(whole).encode()


def _found(root: Path) -> Path:
    """The folder with the task, which may lie deeper than the mount."""
    found = sorted((root / "input" / "data").rglob(TASK))
    if len(found) != 1:
        raise FileNotFoundError(f"{len(found)} files {TASK} below {root}/input/data")
    return found[0].parent


def main(arguments: list[str]) -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s runner: %(message)s")
    # This file lies in …/ml/code.
    root = Path(arguments[0]) if arguments else Path(__file__).resolve().parent.parent
    folder, output = _found(root), root / "output"
    output.mkdir(parents=True, exist_ok=True)
    # Of an earlier run here; it would speak for this one, too, if that were killed.
    if (output / MANIFEST).exists():
        (output / MANIFEST).unlink()
    task = Task(json.loads((folder / TASK).read_bytes()))
    return Run(task, folder / REQUESTS, output)()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
