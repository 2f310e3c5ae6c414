"""Nothing that a run writes holds a secret: objects, logs, dead letters, the local ledgers."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import oss2
import pytest
import requests

from scripts.localcloud.answers.faults import CallFault
from scripts.localcloud.bailian.service_faults import BatchFault
from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.options import CloudOptions
from scripts.localcloud.storage_http.request_faults import FaultAction
from shared.bucket.attempt import parse_attempt
from shared.bucket.keys import Stage
from shared.events.callbacks import callback_path_for
from shared.runtime.logs import JsonFormatter
from tests.e2e.conftest import RunningCloud, wait_until
from tests.support.leaks import leaks_in

# With what each encoding writes in its own way; the API key has no form that is always masked.
API_KEY = "key-of/this+run=%&<e2e>~0123456789"
CALLBACK_SECRET = "callback/of+this=run %&<e2e> 0123456789"
EVENTBRIDGE_TOKEN = "token/of+this=run-%&<e2e>-0123456789"
RECIPE = b"model: qwen-flash\nprompt: 'Say {{ name }}'\nattempts: 2\n"
OWN_LOGGERS = ("shared", "functions", "scripts")


@dataclass
class Watched:
    """A local cloud that says all that it knows, and what its own process logged."""

    running: RunningCloud
    own_log: io.StringIO

    @property
    def secrets(self) -> dict[str, str]:
        specs = {name: pool.spec for name, pool in self.running.cloud.host.pools.items()}
        return {
            "the API key": API_KEY,
            "the callback secret": CALLBACK_SECRET,
            "the EventBridge token": EVENTBRIDGE_TOKEN,
            "the owner's key": self.running.cloud.keys.access_key_secret,
            **{f"{name}'s key": spec.access_key_secret for name, spec in specs.items()},
            **{f"{name}'s security token": spec.security_token for name, spec in specs.items()},
        }

    @property
    def signatures(self) -> dict[str, str]:
        """What makes the callback URL of each batch that was ever asked for unguessable."""
        keys = [each.key for each in oss2.ObjectIterator(self.running.bucket, "jobs/")]
        parts = [key.split("/") for key in keys if key.endswith("/submission.json")]
        attempts = [parse_attempt("/".join(part[1:3])) for part in parts]
        paths = [callback_path_for(attempt, CALLBACK_SECRET.encode()) for attempt in attempts if attempt]
        return {f"the callback {path[:40]}…": path.rsplit("/", 1)[1] for path in paths}

    def written(self) -> Iterator[tuple[str, bytes]]:
        """Everything that lies on the disk, and what the process itself logged and shows."""
        data_dir = self.running.cloud.options.data_dir
        for path in data_dir.rglob("*"):
            # Where they are kept; what the permissions of that file are is tested elsewhere.
            if path.is_file() and path.name != "keys.json":
                yield str(path.relative_to(data_dir)), path.read_bytes()
        for each in oss2.ObjectIterator(self.running.bucket):
            yield f"object {each.key}", self.running.bucket.get_object(each.key).read()
        yield "the local cloud's log", self.own_log.getvalue().encode()
        yield "the status page", requests.get(self.running.cloud.gateway.url, timeout=30).content


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    parameters = {
        "CallbackSecret": CALLBACK_SECRET,
        "EventBridgeToken": EVENTBRIDGE_TOKEN,
        "LogLevel": "DEBUG",
        "ClaimLeaseS": "4",
        "ReadyOverdueS": "1",
        "PollAfterS": "1",
        "FinishedOverdueS": "1",
        "ResultsLateS": "1",
    }
    options = CloudOptions(
        tmp_path,
        api_key=API_KEY,
        duplicates=2,
        timer_interval_s=1.0,
        parameters=parameters,
    )
    own_log = io.StringIO()
    handler = logging.StreamHandler(own_log)
    handler.setFormatter(JsonFormatter())
    loggers = [logging.getLogger(name) for name in OWN_LOGGERS]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel("DEBUG")
    try:
        with LocalCloud(options) as cloud:
            yield Watched(RunningCloud(cloud), own_log)
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.removeHandler(handler)
            logger.setLevel(level)


def run_well_and_badly(watched: Watched) -> None:
    """Files that are answered, refused, half-failed, retried; services that refuse and hang up."""
    cloud = watched.running
    cloud.drop("secret/batch.yaml", RECIPE)
    cloud.drop("secret/good.csv", b"name\nAda\nBo\n")
    cloud.wait_for("results/secret/good.report.json")
    cloud.drop("secret/bad.csv", b"name,age\nragged\n")
    cloud.bailian.faults.add(BatchFault(outcome="fail", fail_code="odd", fail_message="refused"))
    cloud.bailian.faults.add(BatchFault(cut_connection=True))
    for route in ("batches.create", "batches.retrieve", "files.upload", "files.content"):
        quoted = f"Incorrect API key provided: {API_KEY}."
        cloud.bailian.faults.add(CallFault(route=route, status=401, code="invalid_api_key", message=quoted))
        cloud.bailian.faults.add(CallFault(route=route, status=500, dashscope=True))
    for method, prefix in (("PUT", "jobs/"), ("PUT", "finished/"), ("GET", "ready/"), ("HEAD", "running/")):
        cloud.cloud.oss.faults.add(FaultAction.ANSWER_500, method, prefix)
        cloud.cloud.oss.faults.add(FaultAction.CUT_AFTER, method, prefix)
    cloud.drop("secret/worse.csv", b"name\nCy\nDi\n")
    cloud.wait_for("rejected/secret/bad.csv.report.txt")
    wait_and_push(cloud, "results/secret/worse.report.json")


def wait_and_push(cloud: RunningCloud, name: str) -> None:
    """Wait for a result, and wake at once what was put off, as if its reason were mended."""

    def is_there() -> bool:
        for key in cloud.board():
            stage, _, attempt = key.partition("/")
            # The faults strike us, too, and a ticket may be gone meanwhile.
            with contextlib.suppress(oss2.exceptions.OssError, OSError):
                if stage == "running":
                    cloud.bucket.put_object(f"{Stage.FINISHED.value}{attempt}", b"{}")
                elif stage == "ready" and b'"waiting_for":{' in cloud.path(key).read_bytes().replace(
                    b" ", b""
                ):
                    cloud.bucket.put_object(key, b"{}")
        time.sleep(0.5)
        return cloud.path(name).exists()

    wait_until(is_there, f"{name} does not appear; {cloud.board()}", 120)


def lose_a_key(watched: Watched, name: str) -> None:
    """OSS refuses a function's requests for a while; its answer quotes what was signed."""
    cloud = watched.running
    spec = cloud.cloud.host.pools[name].spec
    keys = cloud.cloud._keys
    keys.secrets[spec.access_key_id] = "another"
    cloud.drop(f"secret/{name}.csv", b"name\nEd\n")
    wait_until(lambda: "SignatureDoesNotMatch" in log_of(cloud, name), f"{name} is not refused")
    wait_until(lambda: cloud.cloud.invoker.dead_letters, "nothing is given up", 120)
    keys.secrets[spec.access_key_id] = spec.access_key_secret
    wait_and_push(cloud, f"results/secret/{name}.report.json")


def log_of(cloud: RunningCloud, function: str) -> str:
    path = cloud.cloud.host.pools[function].spec.log_path
    return path.read_text() if path.exists() else ""


def call_back(watched: Watched) -> set[int]:
    """Send the genuine URL once more, then every way not to."""
    cloud = watched.running
    base = cloud.cloud.gateway.url_of("Callback")
    submissions = [
        each.key
        for each in oss2.ObjectIterator(cloud.bucket, "jobs/")
        if each.key.endswith("submission.json")
    ]
    attempt = parse_attempt("/".join(submissions[0].split("/")[1:3]))
    assert attempt is not None
    url = base + callback_path_for(attempt, CALLBACK_SECRET.encode())
    token = {"x-eventbridge-signature-token": EVENTBRIDGE_TOKEN}
    answers = [
        requests.post(url, json={"callback": url}, timeout=30),
        requests.post(f"{url}/x", data=url, timeout=30),
        requests.post(f"{url}0", data=url, timeout=30),
        requests.post(url, data=b"x" * 200_000, timeout=30),
        requests.get(url, timeout=30),
        requests.post(f"{url}?{CALLBACK_SECRET}", headers={"Referer": url}, timeout=30),
        requests.post(f"{base}/events", json={"id": url}, timeout=30),
        requests.post(f"{base}/events", json={"id": url}, headers=token, timeout=30),
    ]
    address = urlsplit(url)
    assert address.hostname is not None
    with socket.create_connection((address.hostname, address.port or 80), timeout=30) as raw:
        raw.sendall(f"POST {address.path} and more HTTP/1.1\r\n\r\n".encode())
        assert b" 400 " in raw.recv(65536).partition(b"\r\n")[0]
    return {answer.status_code for answer in answers}


def test_no_secret_is_in_anything_that_was_written(watched: Watched) -> None:
    run_well_and_badly(watched)
    statuses = call_back(watched)
    lose_a_key(watched, "Collect")
    watched.running.wait_until_quiet()
    written = dict(watched.written())
    signatures = watched.signatures

    leaks = {
        name: found for name, content in written.items() if (found := leaks_in(content, watched.secrets))
    }
    told = {
        name: found
        for name, content in written.items()
        # The provider has to know whom to call.
        if not name.startswith(".localcloud/bailian/") and (found := leaks_in(content, signatures))
    }

    assert leaks == {}
    assert told == {}
    # It was a run in which there was something to tell.
    assert statuses >= {200, 401, 404, 405, 413}
    assert len(signatures) >= 3
    assert any("dead-letters" in name for name in written)
    logs = "".join(log_of(watched.running, name) for name in watched.running.cloud.host.pools)
    expected = ("invalid_api_key", "SignatureDoesNotMatch", "event.refused", "callback.refused")
    assert [word for word in expected if word not in logs] == []
    assert json.loads(watched.running.wait_for("results/secret/good.report.json"))["adds_up"] is True
    assert any(leaks_in(content, signatures) for content in written.values())
