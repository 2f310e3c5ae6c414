"""The callback function as an HTTPS target of EventBridge: signed requests, onto a bucket."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
import requests_mock as requests_mocks

from functions.callback.app import MAX_TRIGGER_EVENT_BYTES
from functions.callback.index import _app
from scripts.localcloud.oss.local_oss import LocalOss
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import Stage, batch_pointer_key, ticket_key
from shared.bucket.tickets import RunningTicket
from shared.ports.store import ObjectStore
from shared.runtime.http_trigger import http_handler
from shared.stores.oss.store import open_oss_store
from tests.support.builders import attempt
from tests.support.certificates import certificate, sign_base64
from tests.support.fakes import START

TOKEN = "the token of these tests, 16 characters or more"
HOST = "callback-abc.cn-hangzhou.fcapp.run"
CERTIFICATE = (
    "https://cn-beijing-eventbridge.oss-accelerate.aliyuncs.com/x509_public_certificate_2021012501.pem"
)
BATCH = "batch_5b57e198-203e-49c8-bcc3-65e997d51754"
BODY = json.dumps(
    {
        "specversion": "1.0",
        "source": "acs.dashscope",
        "type": "dashscope:System:BatchTaskFinish",
        "data": {"task_id": BATCH, "task_status": "SUCCEEDED", "名": "值"},
    },
    ensure_ascii=False,
)
FINISHED = ticket_key(Stage.FINISHED, attempt())
Handler = Callable[[object, object], dict[str, object]]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectStore]:
    """A bucket in which one batch is running, and an environment that leads to it."""
    with LocalOss(tmp_path, {"key": "word"}, "cn-beijing", lambda _: None) as oss:
        oss.storage.create_bucket("drop")
        environment = {
            "BUCKET_NAME": "drop",
            "OSS_ENDPOINT": oss.url,
            "OSS_REGION": "cn-beijing",
            "CALLBACK_SECRET": "the secret of these tests",
            "EVENTBRIDGE_TOKEN": TOKEN,
            "ALIBABA_CLOUD_ACCESS_KEY_ID": "key",
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "word",
        }
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        opened = open_oss_store(
            oss.url, "cn-beijing", "drop", access_key_id="key", access_key_secret="word", security_token=None
        )
        deadline_at = START + timedelta(hours=48)
        opened.put(batch_pointer_key("bailian", BATCH), str(attempt()).encode())
        BucketRecords(opened).put_running(
            attempt(), RunningTicket(batch_id=BATCH, submitted_at=START, deadline_at=deadline_at)
        )
        yield opened


@pytest.fixture
def web(requests_mock: requests_mocks.Mocker) -> requests_mocks.Mocker:
    """Only the certificate comes from elsewhere; the bucket is real."""
    requests_mock.register_uri(requests_mocks.ANY, requests_mocks.ANY, real_http=True)
    requests_mock.get(CERTIFICATE, content=certificate())
    return requests_mock


@pytest.fixture
def handler() -> Handler:
    """A fresh instance: its application reads the environment on its first request."""
    return http_handler(_app, max_event_bytes=MAX_TRIGGER_EVENT_BYTES)


def signed_headers(
    body: str = BODY,
    *,
    url: str = f"https://{HOST}/events",
    token: str = TOKEN,
    key: str = "eventbridge",
    end: str = "",
    age: timedelta = timedelta(0),
) -> dict[str, str]:
    """What EventBridge sends along."""
    sent_at = datetime.now(timezone.utc) - age
    signed = {
        "x-eventbridge-signature-timestamp": str(round(sent_at.timestamp() * 1000)),
        "x-eventbridge-hash-method": "SHA256",
        "x-eventbridge-signature-version": "1.0",
        "x-eventbridge-signature-url": CERTIFICATE,
        "x-eventbridge-signature-token": token,
    }
    lines = "\n".join(f"{name}: {value}" for name, value in signed.items())
    signature = sign_base64(f"{url}\n{lines}\n{body}{end}".encode(), key)
    return {**signed, "x-eventbridge-signature-v2": signature}


def send(
    handler: Handler,
    headers: Mapping[str, str],
    body: str = BODY,
    *,
    path: str = "/events",
    method: str = "POST",
) -> int:
    """The status of the answer to one request, as Function Compute's trigger hands it on."""
    canonical = {name.title(): value for name, value in headers.items()}
    event = {
        "rawPath": path,
        "body": body,
        "headers": {"Host": HOST, "Content-Type": "application/json", **canonical},
        "requestContext": {"domainName": HOST, "http": {"method": method, "path": path}},
    }
    struct = handler(json.dumps(event).encode(), None)
    assert len(str(struct["body"])) < 100
    assert json.loads(str(struct["body"]))
    return int(str(struct["statusCode"]))


def keys(store: ObjectStore) -> list[str]:
    return [each.key for each in store.list("")]


@pytest.mark.parametrize(
    "signed",
    [
        {},
        {"end": "\n"},
        {"url": f"http://{HOST}/events"},
        {"url": f"https://{HOST}:443/events"},
    ],
    ids=str,
)
def test_a_genuine_event_is_heard_once(
    handler: Handler, store: ObjectStore, web: requests_mocks.Mocker, signed: dict[str, str]
) -> None:
    headers = signed_headers(**signed)  # type: ignore[arg-type]

    assert [send(handler, headers) for _ in range(3)] == [200] * 3
    assert FINISHED in keys(store)
    assert [each.url for each in web.request_history if "eventbridge" in each.url] == [CERTIFICATE]


# Signed when the test runs, since a signature lasts for a minute.
REFUSED: dict[str, tuple[Callable[[], dict[str, str]], str]] = {
    "nothing": (dict, "token"),
    "a shorter token": (lambda: signed_headers(token=TOKEN[:-1]), "token"),
    "a token that was exchanged": (
        lambda: {**signed_headers(), "x-eventbridge-signature-token": "x" * 50},
        "token",
    ),
    "another key": (lambda: signed_headers(key="somebody else"), "signature"),
    "another body": (lambda: signed_headers(body=BODY + " "), "signature"),
    "another host": (lambda: signed_headers(url="https://elsewhere.example/events"), "signature"),
    "another path": (lambda: signed_headers(url=f"https://{HOST}/finished"), "signature"),
    "too old": (lambda: signed_headers(age=timedelta(seconds=70)), "timestamp"),
    "too new": (lambda: signed_headers(age=timedelta(seconds=-70)), "timestamp"),
    "SHA-1": (lambda: {**signed_headers(), "x-eventbridge-hash-method": "SHA1"}, "hash_method"),
    "another certificate": (
        lambda: {
            **signed_headers(),
            "x-eventbridge-signature-url": "http://169.254.169.254/x509_public_certificate_1",
        },
        "certificate_url",
    ),
    "three bytes": (lambda: {**signed_headers(), "x-eventbridge-signature-v2": "AAAA"}, "signature"),
    "no signature": (lambda: {**signed_headers(), "x-eventbridge-signature-v2": ""}, "signature_form"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_any_other_request_is_refused_in_one_answer_and_one_log_line(
    handler: Handler,
    store: ObjectStore,
    web: requests_mocks.Mocker,
    caplog: pytest.LogCaptureFixture,
    case: str,
) -> None:
    caplog.set_level(logging.DEBUG, "shared")
    make_headers, reason = REFUSED[case]
    headers = make_headers()
    before = keys(store)

    assert send(handler, headers) == 401

    assert keys(store) == before
    refused = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert [(record.message, vars(record)["reason"]) for record in refused] == [("event.refused", reason)]
    logged = "".join(str(vars(record)) for record in caplog.records)
    assert TOKEN not in logged
    assert (headers.get("x-eventbridge-signature-v2") or TOKEN) not in logged
    fetched = [each for each in web.request_history if "certificate" in each.url]
    assert len(fetched) == (reason == "signature")


def test_a_certificate_that_cannot_be_had_is_asked_for_again_with_the_next_event(
    handler: Handler, store: ObjectStore, web: requests_mocks.Mocker
) -> None:
    web.get(CERTIFICATE, [{"status_code": 503}, {"content": certificate()}])
    before = keys(store)

    first = send(handler, signed_headers())
    untouched = keys(store)
    second = send(handler, signed_headers())

    assert (first, untouched, second) == (401, before, 200)
    assert FINISHED in keys(store)


@pytest.mark.usefixtures("web")
def test_the_signed_body_may_be_base64_in_the_trigger_s_event(handler: Handler, store: ObjectStore) -> None:
    headers = {"Host": HOST, **signed_headers()}
    event = {
        "rawPath": "/events",
        "body": base64.b64encode(BODY.encode()).decode(),
        "isBase64Encoded": True,
        "headers": headers,
        "requestContext": {"http": {"method": "POST", "path": "/events"}},
    }

    assert handler(json.dumps(event).encode(), None)["statusCode"] == 200
    assert FINISHED in keys(store)


@pytest.mark.usefixtures("web")
def test_an_event_of_another_pipeline_is_taken_and_changes_nothing(
    handler: Handler, store: ObjectStore
) -> None:
    body = BODY.replace(BATCH, BATCH[:-1] + "0")
    before = keys(store)

    assert send(handler, signed_headers(body), body) == 200
    assert keys(store) == before


@pytest.mark.usefixtures("web")
@pytest.mark.parametrize(("size", "status"), [(256 * 1024, 200), (600 * 1024, 413), (3 * 1024 * 1024, 413)])
def test_events_have_a_size(handler: Handler, store: ObjectStore, size: int, status: int) -> None:
    body = BODY + " " * (size - len(BODY.encode()))

    assert send(handler, signed_headers(body), body) == status
    assert (FINISHED in keys(store)) is (status == 200)


@pytest.mark.usefixtures("web")
@pytest.mark.parametrize(("path", "method", "status"), [("/events", "GET", 405), ("/events/", "POST", 404)])
def test_only_posts_to_exactly_that_address_are_events(
    handler: Handler, store: ObjectStore, path: str, method: str, status: int
) -> None:
    assert send(handler, signed_headers(), path=path, method=method) == status
    assert FINISHED not in keys(store)


@pytest.mark.usefixtures("web")
def test_without_a_token_there_is_no_such_address(
    handler: Handler, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVENTBRIDGE_TOKEN", "")

    assert send(handler, signed_headers()) == 404
    assert FINISHED not in keys(store)
