"""Nothing that a run writes holds a secret: objects, logs, dead letters, ledgers, the terminal."""

from __future__ import annotations

import contextlib
import hmac
import io
import json
import logging
import re
import socket
import time
from collections.abc import Iterator, Set
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import oss2
import pytest
import requests

from scripts.localcloud.actions.signature import AccessKey
from scripts.localcloud.announce import announced
from scripts.localcloud.answers.faults import CallFault
from scripts.localcloud.ark.jobs.job_faults import JobFault
from scripts.localcloud.bailian.service_faults import BatchFault
from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.clouds.volcengine import LocalVolcengine
from scripts.localcloud.options import CloudOptions, tencent_dir, volcengine_dir
from scripts.localcloud.storage_http.incoming.request_faults import FaultAction
from scripts.operate.__main__ import main
from shared.bucket.attempt import parse_attempt
from shared.bucket.keys import Stage
from shared.events.callbacks import callback_path_for
from shared.links.token import Link, token_for
from shared.runtime.logs import JsonFormatter
from tests.e2e.conftest import RunningCloud
from tests.support.leaks import leaks_in
from tests.support.waiting import PATIENCE_S, wait_until

# With what each encoding writes in its own way; the API key has no form that is always masked.
API_KEY = "key-of/this+run=%&<e2e>~0123456789"
CALLBACK_SECRET = "callback/of+this=run %&<e2e> 0123456789"
PAGE_SECRET = "links/of+this=run %&<e2e> 0123456789"
EVENTBRIDGE_TOKEN = "token/of+this=run-%&<e2e>-0123456789"
ARK_SECRET = "secret/of+ark=this run %&<e2e>~0123456789"
TENCENT_SECRET = "secret/of+tencent=this run %&<e2e>~0123456789"
WEBHOOK_PATH = "/hooks/of-this-run/0123456789abcdef"
WEBHOOK_SECRET = "whsec_c2VjcmV0L29mK3RoaXMgd2ViaG9vazAxMjM0NTY3"
MAIL_PASSWORD = "password/of+mail %&<e2e> 0123456789"
with socket.create_server(("127.0.0.1", 0)) as _closed:
    NOBODY = _closed.getsockname()[1]
CHANNELS = {
    "webhook": {"nobody": {"url": f"http://127.0.0.1:{NOBODY}{WEBHOOK_PATH}", "secret": WEBHOOK_SECRET}},
    "email": {
        "nobody": {
            "host": "localhost",
            "port": NOBODY,
            "encryption": "none",
            "sender": "a@example.com",
            "recipients": ["b@example.com"],
            "user": "a",
            "password": MAIL_PASSWORD,
        }
    },
}
RECIPE = (
    b"model: qwen-flash\nprompt: 'Say {{ name }}'\nattempts: 2\n"
    b"notify: [{webhook: nobody}, {email: nobody}, {slack: nobody}]\n"
)
LINK = Link(
    "0123456789abcdef", "secret/", is_operator=False, expires_at=datetime(2100, 1, 1, tzinfo=timezone.utc)
)
LINK_TOKEN = token_for(LINK, PAGE_SECRET.encode())
ARK_RECIPE = b"provider: ark\nmodel: doubao-seed-2-1-pro-260628\nprompt: 'Say {{ name }}'\nattempts: 2\n"
TIONE_RECIPE = b"provider: tione\nmodel: Qwen3-8B\nprompt: 'Say {{ name }}'\nattempts: 2\n"
OWN_LOGGERS = ("shared", "functions", "scripts")


@dataclass
class Watched:
    """A local cloud that says all that it knows, and what its own process logged.

    ``signed`` are the signatures of all requests to the clouds, ``terminal`` is what people saw,
    ``passing`` what tickets and the board said before they went.
    """

    running: RunningCloud
    own_log: io.StringIO
    signed: set[bytes]
    terminal: io.StringIO = field(default_factory=io.StringIO)
    passing: set[tuple[str, bytes]] = field(default_factory=set)

    @property
    def volcengine(self) -> LocalVolcengine:
        assert self.running.cloud.volcengine is not None
        return self.running.cloud.volcengine

    @property
    def secrets(self) -> dict[str, str]:
        specs = {name: pool.spec for name, pool in self.running.cloud.host.pools.items()}
        return {
            "the API key": API_KEY,
            "the callback secret": CALLBACK_SECRET,
            "the EventBridge token": EVENTBRIDGE_TOKEN,
            "the page's secret": PAGE_SECRET,
            "a link to the page": LINK_TOKEN,
            "the owner's key": self.running.cloud.keys.access_key_secret,
            "Ark's key": ARK_SECRET,
            "Tencent's key": TENCENT_SECRET,
            "the webhook's address": WEBHOOK_PATH,
            "the webhook's secret": WEBHOOK_SECRET,
            "the mail's password": MAIL_PASSWORD,
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
        status = f"{self.running.cloud.gateway.url}/status.json"
        yield "the status", requests.get(status, timeout=PATIENCE_S).content
        yield "the terminal", self.terminal.getvalue().encode()
        yield from self.passing

    def tickets(self) -> dict[str, bytes]:
        """What they say now, with the board; all of it is looked at in the end."""
        found = {}
        for key in (*self.running.board(), "board.json"):
            with contextlib.suppress(OSError):  # gone meanwhile
                found[key] = self.running.path(key).read_bytes()
        self.passing |= found.items()
        return found

    def types(self, *arguments: str) -> int:
        """What a person does with ``scripts/batchdrop``."""
        data_dir = str(self.running.cloud.options.data_dir)
        with contextlib.redirect_stdout(self.terminal), contextlib.redirect_stderr(self.terminal):
            return main(["--data", data_dir, *arguments], {})


@pytest.fixture
def signed(monkeypatch: pytest.MonkeyPatch) -> set[bytes]:
    """Every signature that a local service has compared, as sent and as it ought to be."""
    seen: set[bytes] = set()
    compare = hmac.compare_digest

    def compared(*texts: str | bytes) -> bool:
        seen.update(text if isinstance(text, bytes) else text.encode() for text in texts)
        return compare(*texts)

    monkeypatch.setattr(hmac, "compare_digest", compared)
    return seen


@pytest.fixture
def watched(tmp_path: Path, signed: set[bytes]) -> Iterator[Watched]:
    parameters = {
        "CallbackSecret": CALLBACK_SECRET,
        "EventBridgeToken": EVENTBRIDGE_TOKEN,
        "NotifyChannels": json.dumps(CHANNELS),
        "PageSecret": PAGE_SECRET,
        "LogLevel": "DEBUG",
        "ClaimLeaseS": "4",
        "ReadyOverdueS": "1",
        "PollAfterS": "1",
        "FinishedOverdueS": "1",
        "ResultsLateS": "1",
    }
    options = CloudOptions(
        tmp_path,
        providers=("bailian", "ark", "tione"),
        api_key=API_KEY,
        duplicates=2,
        workers=1,
        timer_interval_s=2.0,
        parameters=parameters,
    )
    for folder, secret in ((volcengine_dir(tmp_path), ARK_SECRET), (tencent_dir(tmp_path), TENCENT_SECRET)):
        keys = folder / ".localcloud" / "keys.json"
        keys.parent.mkdir(parents=True)
        keys.write_text(
            json.dumps({"access_key_id": "AKe2e", "access_key_secret": secret, "api_key": "sk-none"})
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
        with LocalCloud(options) as cloud, announced(cloud, tmp_path / ".localcloud" / "announced"):
            yield Watched(RunningCloud(cloud), own_log, signed)
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
    wait_and_push(watched, "results/secret/worse.report.json")


def run_ark_well_and_badly(watched: Watched) -> None:
    """The same with Ark: files answered, refused with the secret quoted, cut off, and erased."""
    cloud, service = watched.running, watched.volcengine
    cloud.drop("ark/batch.yaml", ARK_RECIPE)
    cloud.drop("ark/good.csv", b"name\nAda\nBo\n")
    cloud.wait_for("results/ark/good.report.json")
    cloud.ark.faults.add(JobFault(outcome="fail"), JobFault(cut_connection=True))
    for action in ("CreateBatchInferenceJob", "GetBatchInferenceJob", "ListBatchInferenceJobs"):
        for status in (401, 400, 500):
            quoted = f"Signed with {ARK_SECRET}."
            cloud.ark.faults.add(CallFault(route=action, status=status, code="Odd", message=quoted))
    for method, prefix in (("PUT", "batchdrop/in/"), ("GET", "batchdrop/out/"), ("DELETE", "batchdrop/in/")):
        service.tos.faults.add(FaultAction.ANSWER_500, method, prefix)
        service.tos.faults.add(FaultAction.CUT_AFTER, method, prefix)
    cloud.drop("ark/worse.csv", b"name\nCy\nDi\n")
    wait_and_push(watched, "results/ark/worse.report.json")
    lose_arks_key(watched)
    assert [
        watched.types(*each) for each in (("status", "ark/good.csv"), ("erase", "--yes", "ark/good.csv"))
    ] == [
        0,
        0,
    ]


def run_tione_well_and_badly(watched: Watched) -> None:
    """The same with TI-ONE: its key refused with the secret quoted, and for the signature."""
    cloud, service = watched.running, watched.running.cloud.tencent
    assert service
    cloud.drop("tione/batch.yaml", TIONE_RECIPE)
    quoted = f"Signed with {TENCENT_SECRET}."
    for action in ("CreateBatchTask", "DescribeBatchTask", "DescribeBatchTasks"):
        for status, code in ((200, "AuthFailure"), (200, "InternalError"), (503, "")):
            cloud.tione.faults.add(CallFault(route=action, status=status, code=code, message=quoted))
    for method, prefix in (("PUT", "batchdrop/in/"), ("GET", "batchdrop/out/"), ("DELETE", "batchdrop/in/")):
        service.cos.faults.add(FaultAction.ANSWER_500, method, prefix)
        service.cos.faults.add(FaultAction.CUT_AFTER, method, prefix)
    cloud.drop("tione/worse.csv", b"name\nCy\nDi\n")
    wait_and_push(watched, "results/tione/worse.report.json")
    secrets_of_cos = service.cos._signatures.credentials
    assert isinstance(secrets_of_cos, dict)
    secrets_of_cos[service.keys.access_key_id] = "another"
    cloud.drop("tione/lost.csv", b"name\nEd\n")
    wait_until(lambda: "TENCENT_SECRET_KEY" in log_of(cloud, "Submit"), "COS does not refuse")
    secrets_of_cos[service.keys.access_key_id] = TENCENT_SECRET
    wait_and_push(watched, "results/tione/lost.report.json")
    asked = (("status", "tione/lost.csv"), ("erase", "--yes", "tione/lost.csv"))
    assert [watched.types(*each) for each in asked] == [0, 0]


def lose_arks_key(watched: Watched) -> None:
    """TOS refuses the key, then Ark does: with its secret quoted, and for the signature."""
    cloud, service = watched.running, watched.volcengine
    key_id = service.keys.access_key_id
    secrets_of_tos, keys_of_ark = service.tos._signatures.credentials, service.ark._keys
    assert isinstance(secrets_of_tos, dict)
    assert isinstance(keys_of_ark, dict)
    secrets_of_tos[key_id], keys_of_ark[key_id] = "another", AccessKey("another")
    cloud.drop("ark/lost.csv", b"name\nEd\n")
    wait_until(lambda: ": 403 SignatureDoesNotMatch" in log_of(cloud, "Submit"), "TOS does not refuse")
    secrets_of_tos[key_id] = ARK_SECRET
    quoted = f"Signed with {ARK_SECRET}."
    cloud.ark.faults.add(CallFault(route="CreateBatchInferenceJob", status=401, message=quoted))
    keys_of_ark[key_id] = AccessKey(ARK_SECRET)
    cloud.drop("ark/quoted.csv", b"name\nFi\n")
    wait_until(lambda: b"Signed with" in b"".join(watched.tickets().values()), "no ticket says why")
    assert watched.types("status") == 0
    keys_of_ark[key_id] = AccessKey("another")
    cloud.drop("ark/unsigned.csv", b"name\nGi\n")
    wait_until(
        lambda: "The request signature does not match" in log_of(cloud, "Submit"), "Ark does not refuse"
    )
    keys_of_ark[key_id] = AccessKey(ARK_SECRET)
    for name in ("lost", "quoted", "unsigned"):
        wait_and_push(watched, f"results/ark/{name}.report.json")


def wait_and_push(watched: Watched, name: str) -> None:
    """Wait for a result, and wake at once what was put off, as if its reason were mended."""
    cloud = watched.running

    def is_there() -> bool:
        # The faults strike us, too.
        with contextlib.suppress(oss2.exceptions.OssError):
            watched.tickets()
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

    wait_until(is_there, f"{name} does not appear; {cloud.board()}")


def lose_a_key(watched: Watched, name: str) -> None:
    """OSS refuses a function's requests for a while; its answer quotes what was signed."""
    cloud = watched.running
    spec = cloud.cloud.host.pools[name].spec
    keys = cloud.cloud._keys
    keys.secrets[spec.access_key_id] = "another"
    cloud.drop(f"secret/{name}.csv", b"name\nEd\n")
    wait_until(lambda: "SignatureDoesNotMatch" in log_of(cloud, name), f"{name} is not refused")
    wait_until(lambda: cloud.cloud.invoker.dead_letters, "nothing is given up")
    keys.secrets[spec.access_key_id] = spec.access_key_secret
    wait_and_push(watched, f"results/secret/{name}.report.json")


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
        requests.post(url, json={"callback": url}, timeout=PATIENCE_S),
        requests.post(f"{url}/x", data=url, timeout=PATIENCE_S),
        requests.post(f"{url}0", data=url, timeout=PATIENCE_S),
        requests.post(url, data=b"x" * 200_000, timeout=PATIENCE_S),
        requests.get(url, timeout=PATIENCE_S),
        requests.post(f"{url}?{CALLBACK_SECRET}", headers={"Referer": url}, timeout=PATIENCE_S),
        requests.post(f"{base}/events", json={"id": url}, timeout=PATIENCE_S),
        requests.post(f"{base}/events", json={"id": url}, headers=token, timeout=PATIENCE_S),
    ]
    address = urlsplit(url)
    assert address.hostname is not None
    with socket.create_connection((address.hostname, address.port or 80), timeout=PATIENCE_S) as raw:
        raw.sendall(f"POST {address.path} and more HTTP/1.1\r\n\r\n".encode())
        assert b" 400 " in raw.recv(65536).partition(b"\r\n")[0]
    return {answer.status_code for answer in answers}


def visit_page(watched: Watched) -> list[int]:
    """See, try, upload, download, and be refused by every service behind the page."""
    cloud = watched.running.cloud
    headers = {"X-Batchdrop": "page", "Authorization": f"Bearer {LINK_TOKEN}"}

    def ask(method: str, path: str, **sent: Any) -> requests.Response:
        return requests.request(
            method, f"{cloud.gateway.url}/api/{path}", headers=headers, timeout=PATIENCE_S, **sent
        )

    tried = {"text": RECIPE.decode(), "columns": ["name"], "rows": [["Ada"]]}
    form = ask("POST", "uploads", json={"name": "form.csv", "size": 9}).json()
    put = requests.post(form["url"], data=form["fields"], files={"file": b"name\nGil\n"}, timeout=PATIENCE_S)
    result = requests.get(ask("GET", "download?path=good.csv").json()["url"], timeout=PATIENCE_S)
    answers = [ask("GET", "jobs"), ask("GET", "job?path=good.csv"), ask("POST", "preview", json=tried)]
    quoted = f"Incorrect API key provided: {API_KEY}."
    watched.running.bailian.faults.add(
        CallFault(route="real_time.chat", status=401, code="invalid_api_key", message=quoted)
    )
    answers.append(ask("POST", "preview", json=tried))
    headers["Authorization"] += "x"
    answers.append(ask("GET", f"jobs?{LINK_TOKEN}"))
    headers["Authorization"] = f"Bearer {LINK_TOKEN}"
    spec, keys = cloud.host.pools["Page"].spec, cloud._keys
    keys.secrets[spec.access_key_id] = "another"
    answers.append(ask("GET", "jobs"))
    keys.secrets[spec.access_key_id] = spec.access_key_secret
    watched.passing |= {
        (f"the page's answer {answer.url}", answer.content)
        for answer in answers
        if LINK_TOKEN not in answer.url
    }
    return [each.status_code for each in (put, result, *answers)]


def texts_in(content: bytes, texts: Set[bytes]) -> set[bytes]:
    """Those of these texts that are hexadecimal digests, and part of the content."""
    found = (re.findall(rb"(?=([0-9a-f]{%d}))" % digits, content) for digits in (40, 64))
    return {each for each_length in found for each in each_length} & texts


def test_no_secret_is_in_anything_that_was_written(watched: Watched) -> None:
    run_well_and_badly(watched)
    run_ark_well_and_badly(watched)
    run_tione_well_and_badly(watched)
    statuses = call_back(watched)
    visits = visit_page(watched)
    lose_a_key(watched, "Collect")
    watched.running.wait_until_quiet()
    written = list(watched.written())
    signatures = watched.signatures

    # Most lies there twice, in the bucket and on the disk.
    secrets_in = cache(partial(leaks_in, secrets=watched.secrets))
    signatures_in = cache(partial(leaks_in, secrets=signatures))
    shown_in = cache(partial(texts_in, texts=watched.signed))
    leaks = {name: found for name, content in written if (found := secrets_in(content))}
    told = {
        name: found
        for name, content in written
        # The provider has to know whom to call.
        if not name.startswith((".localcloud/bailian/", ".localcloud/tencent/"))
        and (found := signatures_in(content))
    }
    shown = {name for name, content in written if shown_in(content)}

    assert leaks == {}
    assert shown == set()
    assert told == {}
    # It was a run in which there was something to tell.
    assert statuses >= {200, 401, 404, 405, 413}
    assert visits == [204, 200, 200, 200, 200, 409, 401, 500]
    assert len(signatures) >= 3
    assert len([text for text in tuple(watched.signed) if re.fullmatch(rb"[0-9a-f]{64}", text)]) > 100
    assert "doubao" in watched.terminal.getvalue()
    assert any("dead-letters" in name for name, _ in written)
    logs = "".join(log_of(watched.running, name) for name in watched.running.cloud.host.pools)
    expected = (
        "invalid_api_key",
        "SignatureDoesNotMatch",
        "event.refused",
        "callback.refused",
        "word.refused",
        "Signed with *",
    )
    assert [word for word in expected if word not in logs] == []
    assert json.loads(watched.running.wait_for("results/secret/good.report.json"))["adds_up"] is True
    assert any(signatures_in(content) for _, content in written)
