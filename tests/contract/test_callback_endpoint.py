"""The callback function as it runs: its handler behind Function Compute's HTTP, on a bucket."""

from __future__ import annotations

import http.client
import json
import os
import socket
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from scripts.localcloud.oss.local_oss import LocalOss
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import Stage, ticket_key
from shared.bucket.tickets import RunningTicket
from shared.events.callbacks import callback_path_for
from shared.ports.store import ObjectStore
from shared.stores.oss.store import open_oss_store
from tests.support.builders import attempt
from tests.support.fakes import START
from tests.support.processes import started
from tests.support.waiting import PATIENCE_S

ROOT = Path(__file__).parents[2]
SECRET = "the secret of this test alone"
PATH = callback_path_for(attempt(), SECRET.encode())
SIGNATURE = PATH.rsplit("/", 1)[1]
RUNNING, FINISHED = ticket_key(Stage.RUNNING, attempt()), ticket_key(Stage.FINISHED, attempt())
RUNS = RunningTicket(batch_id="batch_1", submitted_at=START, deadline_at=START + timedelta(hours=48))


@dataclass(frozen=True)
class Endpoint:
    port: int
    store: ObjectStore
    log_path: Path

    def send(
        self,
        target: str = PATH,
        body: bytes = b"{}",
        method: str = "POST",
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            connection.request(method, target, body, {"Content-Type": "application/json", **(headers or {})})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def send_raw(self, request: bytes) -> tuple[int, bytes]:
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S) as raw:
            raw.sendall(request)
            answer = b"".join(iter(lambda: raw.recv(65536), b""))
        head, _, body = answer.partition(b"\r\n\r\n")
        return int(head.split()[1]), body

    def objects(self) -> list[str]:
        return [each.key for each in self.store.list("")]

    def log(self) -> str:
        return self.log_path.read_text()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    folder = tmp_path_factory.mktemp("endpoint")
    with LocalOss(folder / "oss", {"key": "word"}, "cn-beijing", lambda _: None) as oss:
        oss.storage.create_bucket("drop")
        env = {
            "PYTHONPATH": str(ROOT),
            "PATH": os.defpath,
            "BUCKET_NAME": "drop",
            "OSS_ENDPOINT": oss.url,
            "OSS_REGION": "cn-beijing",
            "CALLBACK_SECRET": SECRET,
            "LOG_LEVEL": "DEBUG",
            "ALIBABA_CLOUD_ACCESS_KEY_ID": "key",
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "word",
        }
        command = [sys.executable, "-m", "shared.runtime.custom.server", "functions.callback.index.handler"]
        command += ["--host", "127.0.0.1", "--port", "0"]
        log_path = folder / "log"
        with log_path.open("wb") as log, started(command, env=env, stderr=log) as process:
            port = int(process.stdout.readline().rsplit(":", 1)[1])
            store = open_oss_store(
                oss.url,
                "cn-beijing",
                "drop",
                access_key_id="key",
                access_key_secret="word",
                security_token=None,
            )
            yield Endpoint(port, store, log_path)


@pytest.fixture
def endpoint(running: Endpoint) -> Iterator[Endpoint]:
    """One batch is running, and nothing else is in the bucket."""
    BucketRecords(running.store).put_running(attempt(), RUNS)
    running.store.delete(FINISHED)
    yield running
    log = running.log()
    assert "Traceback" not in log
    assert SIGNATURE not in log
    assert SECRET not in log


def test_a_callback_is_heard_once(endpoint: Endpoint) -> None:
    answers = {endpoint.send() for _ in range(3)}

    assert answers == {(200, b'{"code":0,"message":"success"}')}
    assert endpoint.objects() == [FINISHED, RUNNING]


def test_a_callback_for_what_is_settled_is_answered_and_changes_nothing(endpoint: Endpoint) -> None:
    endpoint.store.delete(RUNNING)

    assert endpoint.send() == (200, b'{"code":0,"message":"success"}')
    assert endpoint.objects() == []


@pytest.mark.parametrize(
    "target",
    [
        "/",
        PATH[:-1],
        f"{PATH}/",
        f"{PATH}%00",
        f"{PATH}%2F",
        PATH.replace("1-00001", "1-00002"),
        PATH.replace("/1-", "/2-"),
        PATH.replace("finished", "finished%2F.."),
        "/finished/..%2f..%2fetc%2fpasswd/1-00001/x",
        "/finished/%F0%9F%98%80/1-00001/%ED%A0%80",
        "/finished/" + "a" * 60_000 + "/1-00001/b",
        "/static/app.py",
        "/events",
        "//evil.example" + PATH,
        "http://evil.example/x",
        "*",
        "/?" + "q=1&" * 5000,
        "/%",
    ],
    ids=lambda target: target[:40],
)
def test_a_wrong_path_costs_one_small_answer(endpoint: Endpoint, target: str) -> None:
    status, body = endpoint.send(target)

    assert (status, json.loads(body)) == (404, {"error": "not_found"})
    assert endpoint.objects() == [RUNNING]


@pytest.mark.parametrize("size", [64 * 1024 + 1, 1024 * 1024, 8 * 1024 * 1024])
def test_a_large_body_costs_one_small_answer(endpoint: Endpoint, size: int) -> None:
    status, body = endpoint.send(body=b"x" * size)

    assert status == 413
    assert "too_large" in json.loads(body)["error"]
    assert endpoint.objects() == [RUNNING]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "PATCH", "PROPFIND"])
def test_another_method_costs_one_small_answer(endpoint: Endpoint, method: str) -> None:
    status, body = endpoint.send(method=method)

    assert (status, json.loads(body)) == (405, {"error": "method_not_allowed"})
    assert endpoint.objects() == [RUNNING]


LINE = f"POST {PATH} HTTP/1.1\r\nHost: x\r\n".encode()


@pytest.mark.parametrize(
    ("request_bytes", "expected"),
    [
        (b"POST /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        (LINE + b"X: " + b"a" * 70_000 + b"\r\n\r\n", 431),
        (LINE + b"".join(b"X-%d: 1\r\n" % number for number in range(200)) + b"\r\n", 431),
        (LINE + b"Content-Length: 99999999999\r\n\r\n", 400),
        (LINE + b"Content-Length: -1\r\n\r\n", 400),
        (LINE + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (f"POST {PATH} extra HTTP/1.1\r\n\r\n".encode(), 400),
        (f"POST {PATH} HTTP/9.9\r\n\r\n".encode(), 505),
        (f"POST {PATH}\r\n\r\n".encode(), 400),
        (b"\xff\xfe\x00 \x85 \xa0\r\n\r\n", 400),
    ],
    ids=range(10),
)
def test_what_is_no_request_costs_one_small_answer(
    endpoint: Endpoint, request_bytes: bytes, expected: int
) -> None:
    status, body = endpoint.send_raw(request_bytes)

    assert status == expected
    assert set(json.loads(body)) == {"error"}
    assert len(body) < 100
    assert endpoint.objects() == [RUNNING]
    assert endpoint.send("/still/there")[0] == 404


def test_a_chunked_body_is_measured_too(endpoint: Endpoint) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", endpoint.port, timeout=PATIENCE_S)
    connection.request("POST", PATH, iter([b"x" * 40_000] * 3), encode_chunked=True)
    status = connection.getresponse().status
    connection.close()

    assert status == 413
    assert endpoint.objects() == [RUNNING]
