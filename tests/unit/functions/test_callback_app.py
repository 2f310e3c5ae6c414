"""The public endpoint: it answers anything in a few bytes and writes nothing that it should not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.callback.app import MAX_BODY_BYTES, MAX_TRIGGER_EVENT_BYTES, create_app
from shared import VERSION
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import Stage, ticket_key
from shared.bucket.tickets import RunningTicket
from shared.events.callbacks import callback_path_for
from shared.pipeline.hear import HearCallback, HearMessage
from shared.problems.exceptions import ConfigurationError, TransientError
from shared.providers.bailian.profile import BAILIAN
from shared.runtime.context import FcContext
from shared.runtime.http_trigger import http_handler
from tests.support.builders import attempt
from tests.support.fakes import START, MemoryStore, WatchedStore

SECRET = b"a secret of the tests"
PATH = callback_path_for(attempt(), SECRET)
FINISHED = ticket_key(Stage.FINISHED, attempt())
SMALL = 200
# Some providers call again unless they hear just this: https://cloud.tencent.com/document/product/851/84292
HEARD = {"code": 0, "message": "success"}


class Endpoint:
    """The callback function with a bucket in which one shard's batch is running."""

    def __init__(self, store: MemoryStore | None = None) -> None:
        self.store = store or WatchedStore()
        BucketRecords(self.store).put_running(
            attempt(),
            RunningTicket(batch_id="batch_1", submitted_at=START, deadline_at=START + timedelta(days=2)),
        )
        self.before = dict(self.store.objects)
        self._handler = http_handler(
            lambda: create_app(self._hear_callback, self._hear_message),
            max_event_bytes=MAX_TRIGGER_EVENT_BYTES,
        )

    def send(
        self,
        path: str = PATH,
        *,
        method: str = "POST",
        body: str = "{}",
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> tuple[int, dict[str, object]]:
        """Status and body of the answer, which is always small JSON."""
        struct = self.send_event(
            {
                "rawPath": path,
                "body": body,
                "headers": dict(headers or {"Host": "x.example", "Content-Type": "application/json"}),
                "queryParameters": dict(query or {}),
                "requestContext": {"http": {"method": method, "path": path}},
            }
        )
        document = json.loads(str(struct["body"]))
        assert isinstance(document, dict)
        return int(str(struct["statusCode"])), document

    def send_event(self, event: object) -> dict[str, object]:
        struct = self._handler(event if isinstance(event, bytes) else json.dumps(event).encode(), FcContext())
        headers = struct["headers"]
        assert isinstance(headers, dict)
        assert headers["Content-Type"] == "application/json"
        assert len(str(struct["body"])) < SMALL
        return struct

    @property
    def is_untouched(self) -> bool:
        return self.store.objects == self.before

    def _hear_callback(self, _context: FcContext) -> HearCallback:
        return HearCallback(self.store, SECRET)

    def _hear_message(self, _context: FcContext) -> HearMessage:
        return HearMessage(self.store, [BAILIAN])


def test_a_signed_callback_puts_one_ticket_however_often_it_comes() -> None:
    endpoint = Endpoint()

    answers = [endpoint.send() for _ in range(3)]

    assert answers == [(200, HEARD)] * 3
    assert set(endpoint.store.objects) - set(endpoint.before) == {FINISHED}


@pytest.mark.parametrize("body", ["", "not json", "[" * 10_000, '{"status":"failed"}', "x" * MAX_BODY_BYTES])
def test_nothing_in_the_body_matters(body: str) -> None:
    endpoint = Endpoint()

    assert endpoint.send(body=body) == (200, HEARD)
    assert json.loads(endpoint.store.objects[FINISHED]) == {"made_by": VERSION, "heard_from": "callback"}


@pytest.mark.parametrize(
    ("path", "body"),
    [(PATH, "x" * (MAX_BODY_BYTES + 1)), ("/nowhere", "x" * 100_000), (PATH, "x" * 3_000_000)],
)
def test_a_body_that_is_too_large_is_refused_even_if_the_path_is_right(path: str, body: str) -> None:
    endpoint = Endpoint()

    status, _ = endpoint.send(path, body=body)

    assert status == 413
    assert endpoint.is_untouched


JOB, ATTEMPT_SHARD, SIGNATURE = PATH.split("/")[2:]
WRONG_PATHS = [
    "/",
    "",
    "/finished",
    "/static/app.py",
    f"/finished/{JOB}/{ATTEMPT_SHARD}/",
    f"/finished/{JOB}/{ATTEMPT_SHARD}/{'0' * 64}",
    f"/finished/{JOB}/{ATTEMPT_SHARD}/{SIGNATURE[:-1]}",
    f"/finished/{JOB}/{ATTEMPT_SHARD}/{SIGNATURE}0",
    f"/finished/{JOB}/{ATTEMPT_SHARD}/{SIGNATURE.upper()}",
    f"/finished/{JOB}/1-00002/{SIGNATURE}",
    f"/finished/{JOB}/2-00001/{SIGNATURE}",
    f"/finished/{JOB}/1-0000１/{SIGNATURE}",
    f"/finished/{'f' * 16}/{ATTEMPT_SHARD}/{SIGNATURE}",
    f"/finished/{JOB}%2F{ATTEMPT_SHARD}/x/{SIGNATURE}",
    f"/finished/%2e%2e/{ATTEMPT_SHARD}/{SIGNATURE}",
    f"/finished/../finished/{JOB}/{ATTEMPT_SHARD}/{SIGNATURE}",
    f"//finished//{JOB}/{ATTEMPT_SHARD}/{SIGNATURE}",
    f"{PATH}/",
    f"{PATH}%00",
    f"{PATH}%0a",
    f"{PATH}%20",
    f"/FINISHED/{JOB}/{ATTEMPT_SHARD}/{SIGNATURE}",
    f"/finished/{JOB}/{ATTEMPT_SHARD}/%ED%A0%80%FF",
    f"/finished/{JOB}/{ATTEMPT_SHARD}/{'%F0%9F%98%80' * 16}",
    f"/finished/{'a' * 100_000}/{ATTEMPT_SHARD}/{SIGNATURE}",
    "/finished/" + "%2F" * 3000,
    "/events",
    "%",
    "\u2028",
    "http://elsewhere.example" + PATH,
]


@pytest.mark.parametrize("path", WRONG_PATHS, ids=lambda path: ascii(path)[:40])
def test_a_wrong_path_is_not_found(path: str) -> None:
    endpoint = Endpoint()

    assert endpoint.send(path) == (404, {"error": "not_found"})
    assert endpoint.is_untouched


@pytest.mark.parametrize(
    "method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "GËT", "A B", ""]
)
def test_only_posts_are_heard(method: str) -> None:
    endpoint = Endpoint()

    struct = endpoint.send_event(
        {"rawPath": PATH, "requestContext": {"http": {"method": method, "path": PATH}}}
    )

    assert struct["statusCode"] == 405
    assert endpoint.is_untouched


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example/../x", "X-Forwarded-Host": "y"},
        {"Host": "[::1"},
        {"Content-Length": "-5", "Transfer-Encoding": "chunked"},
        {"Content-Type": "multipart/form-data; boundary=" + "x" * 10_000},
        {"Content-Encoding": "gzip"},
        {"X-HTTP-Method-Override": "DELETE"},
        {"Cookie": "a" * 60_000},
        {f"X-{number}": "v" for number in range(2000)},
        {"\ufffd": "\u2028", "emoji": "😀"},
    ],
    ids=lambda headers: ascii(next(iter(headers.items())))[:40],
)
def test_headers_do_not_matter(headers: dict[str, str]) -> None:
    endpoint = Endpoint()

    assert endpoint.send(headers=headers)[0] in {200, 400}
    assert endpoint.send(PATH[:-1], headers=headers)[0] in {400, 404}


text = st.text(max_size=60)
SHORT_PATHS = [path for path in WRONG_PATHS if len(path) < 1000]


@given(
    path=st.one_of(text, st.sampled_from(SHORT_PATHS), text.map(lambda tail: f"{PATH}{tail or 'x'}")),
    method=st.one_of(st.just("POST"), text),
    body=st.one_of(st.none(), text),
    headers=st.dictionaries(text, text, max_size=4),
    query=st.dictionaries(text, text, max_size=4),
)
@settings(max_examples=100)
def test_no_request_breaks_it_or_makes_it_write(
    path: str, method: str, body: str | None, headers: dict[str, str], query: dict[str, str]
) -> None:
    endpoint = Endpoint()

    struct = endpoint.send_event(
        {
            "rawPath": path,
            "body": body,
            "headers": headers,
            "queryParameters": query,
            "requestContext": {"http": {"method": method, "path": path}},
        }
    )

    assert struct["statusCode"] in {400, 404, 405}
    assert endpoint.is_untouched


@pytest.mark.parametrize("error", [TransientError("busy"), ConfigurationError("denied"), RuntimeError("odd")])
def test_a_store_that_fails_is_told_as_such_and_the_path_stays_out_of_the_log(
    error: Exception, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level("DEBUG")
    endpoint = Endpoint()

    def fails(_what: str, _key: str) -> None:
        raise error

    endpoint.store.before = fails

    answer = endpoint.send()

    assert answer == (500, {"error": "internal_error"})
    assert endpoint.is_untouched
    logged = caplog.text + capsys.readouterr().err + "".join(str(vars(each)) for each in caplog.records)
    assert str(error) in logged
    assert SIGNATURE not in logged
