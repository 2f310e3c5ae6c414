"""What is TOS's alone in the store over it: its refusals, lists, versions, and the SDK's habits."""

from __future__ import annotations

import contextlib
import logging
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from tos.exceptions import TosServerError

from scripts.localcloud.storage.content import Write
from scripts.localcloud.storage.properties import put_bucket
from scripts.localcloud.storage_http.request_faults import FaultAction
from scripts.localcloud.tos.local_tos import LocalTos
from scripts.localcloud.tos.oddities import Oddity
from shared.problems.exceptions import ConfigurationError, ObjectMissing, OutcomeUnknown, TransientError
from shared.problems.render import MESSAGES
from shared.stores.tos.store import TosStore, open_tos_store
from tests.support.local_stores import CREDENTIALS, REGION, SECRET, TOKEN, TOKENS, tos_cloud

ROOT = Path(__file__).parents[2]


@pytest.fixture
def tos(tmp_path: Path) -> Iterator[LocalTos]:
    with tos_cloud(tmp_path) as cloud:
        assert isinstance(cloud.local, LocalTos)
        yield cloud.local


def store_at(local: LocalTos) -> TosStore:
    return open_tos_store(
        local.endpoint,
        REGION,
        "bucket",
        access_key_id="key",
        secret_access_key=SECRET,
        security_token=TOKEN,
        proxy=local.proxy,
    )


def insist(store: TosStore, key: str, content: bytes) -> bool:
    """As a function that is called again after a passing error."""
    while True:
        with contextlib.suppress(TransientError):
            return store.put_if_absent(key, content)


@pytest.mark.parametrize(
    "oddities", [[], [Oddity.OPERATION_ABORTED], [Oddity.TAKEN_WITHOUT_EC], list(Oddity)], ids=len
)
def test_of_fifty_writers_one_wins(tos: LocalTos, oddities: list[Oddity]) -> None:
    tos.oddities.update(oddities)
    store, start = store_at(tos), threading.Barrier(50)

    def put(content: bytes) -> bool:
        start.wait()
        return insist(store, "claim", content)

    with ThreadPoolExecutor(50) as threads:
        won = list(threads.map(put, [bytes([number]) for number in range(50)]))

    assert won.count(True) == 1
    assert store.get("claim") == bytes([won.index(True)])


@pytest.mark.parametrize("size_bytes", [3, 6 * 1024 * 1024])
@pytest.mark.parametrize("content", [b"1", b"2"])
def test_a_taken_key_is_taken_whether_tos_gives_an_ec_or_not(
    tos: LocalTos, size_bytes: int, content: bytes
) -> None:
    tos.oddities.add(Oddity.TAKEN_WITHOUT_EC)
    store = store_at(tos)
    store.put("k", b"1" * size_bytes)

    with store.open_writer("k", if_absent=True) as writer:
        writer.write(content * size_bytes)
        assert not writer.commit()

    assert store.get("k") == b"1" * size_bytes


class Aborting:
    """A client whose conditional puts are aborted; ``held`` is what is there then."""

    def __init__(self, held: bytes | None) -> None:
        self._held = held

    def get_bucket_version(self, _bucket: str) -> SimpleNamespace:
        return SimpleNamespace(status=None)

    def put_object(self, _bucket: str, _key: str, **_: Any) -> None:
        raise refusal(409, "OperationAborted")

    def get_object(self, _bucket: str, _key: str, **_: Any) -> SimpleNamespace:
        if self._held is None:
            raise refusal(404, "NoSuchKey")
        chunks = iter([self._held, b""])
        return SimpleNamespace(
            read=lambda _: next(chunks),
            etag="e",
            content_length=len(self._held),
            hash_crc64_ecma=None,
            content=SimpleNamespace(resp=SimpleNamespace(close=lambda: None)),
        )


def refusal(status: int, code: str) -> TosServerError:
    answer = SimpleNamespace(request_id="1", status=status, headers={})
    return TosServerError(answer, "", code, "", "")


def test_an_aborted_write_is_settled_by_what_is_there() -> None:
    assert not TosStore(Aborting(b"theirs"), "bucket").put_if_absent("k", b"ours")
    with pytest.raises(OutcomeUnknown):
        TosStore(Aborting(b"ours"), "bucket").put_if_absent("k", b"ours")
    with pytest.raises(TransientError) as raised:
        TosStore(Aborting(None), "bucket").put_if_absent("k", b"ours")
    assert not isinstance(raised.value, OutcomeUnknown)


class Refusing:
    """A client of which every call but that about versions is refused alike."""

    def __init__(self, status: int, code: str) -> None:
        self._refusal = (status, code)

    def get_bucket_version(self, _bucket: str) -> SimpleNamespace:
        return SimpleNamespace(status=None)

    def __getattr__(self, _name: str) -> Any:
        def refuse(*_: Any, **__: Any) -> None:
            raise refusal(*self._refusal)

        return refuse


CALLS: dict[str, Callable[[TosStore], object]] = {
    "list": lambda store: list(store.list("in/")),
    "put": lambda store: store.put("k", b""),
    "create": lambda store: store.put_if_absent("k", b""),
    "write": lambda store: store.open_writer("k").commit(),
    "upload": lambda store: store.open_writer("k").write(bytes(11_000_000)),
    "read": lambda store: store.get("k"),
    "delete": lambda store: store.delete("k"),
}


@pytest.mark.parametrize("call", CALLS)
def test_a_404_of_a_gateway_says_nothing_of_an_object(call: str) -> None:
    with pytest.raises(TransientError):
        CALLS[call](TosStore(Refusing(404, ""), "bucket"))


@pytest.mark.parametrize("code", ["NoSuchKey", "NoSuchObject", "PreconditionFailed"])
@pytest.mark.parametrize("call", ["list", "put", "create", "write", "upload"])
def test_only_a_call_that_reads_an_object_misses_it(call: str, code: str) -> None:
    status = 412 if code == "PreconditionFailed" else 404

    with pytest.raises((TransientError, ConfigurationError)):
        CALLS[call](TosStore(Refusing(status, code), "bucket"))


def test_a_missing_object_is_missed_by_a_read_and_deleted_already(tos: LocalTos) -> None:
    tos.oddities.add(Oddity.NOTHING_TO_DELETE)
    store = store_at(tos)

    assert store.head("k") is None
    store.delete("k")
    with pytest.raises(ObjectMissing):
        store.get("k")


@pytest.mark.parametrize(
    ("status", "code", "trouble"),
    [
        (403, "AccountOverdue", "account_without_money"),
        (403, "UserDisable", "account_without_money"),
        (403, "ExpiredToken", "access_key_refused"),
        (400, "InvalidSecurityToken", "access_key_refused"),
        (403, "", "bucket_unusable"),
        (403, "AccessDenied", "bucket_forbidden"),
        (403, "RequestTimeTooSkewed", "clock_wrong"),
        (301, "PermanentRedirect", "bucket_missing"),
        (307, "", "bucket_unusable"),
        (400, "InvalidBucketName", "bucket_missing"),
        (400, "Unheard", "bucket_unusable"),
    ],
)
def test_a_refusal_says_who_must_do_what(status: int, code: str, trouble: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        TosStore(Refusing(status, code), "bucket").delete("k")

    assert refusal.value.trouble == trouble
    assert trouble in MESSAGES


def test_a_bucket_that_is_gone_has_nothing_deleted() -> None:
    with pytest.raises(ConfigurationError):
        TosStore(Refusing(404, "NoSuchBucket"), "bucket").delete("k")


@pytest.mark.parametrize("is_encoded", [False, True])
def test_a_list_is_decoded_only_if_it_says_that_it_is_encoded(tos: LocalTos, is_encoded: bool) -> None:
    keys = ["100%", "100%25", "a b", "a+b", "中文/文件.csv"]
    if is_encoded:
        tos.oddities.add(Oddity.ENCODED_LISTS)
    store = store_at(tos)
    for key in keys:
        store.put(key, b"")

    assert [head.key for head in store.list("")] == sorted(keys, key=str.encode)


def test_a_list_of_more_pages_than_one_is_whole(tos: LocalTos) -> None:
    keys = [f"many/{number:04d}" for number in range(1003)]
    for key in keys:
        with tos.storage.new_content() as content:
            tos.storage.publish(content, Write("bucket", key, "ObjectCreated:Put", "1"))

    assert [head.key for head in store_at(tos).list("many/")] == keys


def test_a_list_out_of_order_is_told(caplog: pytest.LogCaptureFixture) -> None:
    def page(*_: Any, **__: Any) -> SimpleNamespace:
        at = SimpleNamespace(astimezone=lambda _: None)
        entries = [SimpleNamespace(key=key, size=1, etag="e", last_modified=at) for key in ("b", "a")]
        answer = SimpleNamespace(json=dict)
        return SimpleNamespace(contents=entries, is_truncated=False, resp=SimpleNamespace(resp=answer))

    store = TosStore(SimpleNamespace(list_objects_type2=page), "bucket")

    assert [head.key for head in store.list("")] == ["b", "a"]
    assert [record.message for record in caplog.records] == ["bucket.list_out_of_order"]


def test_a_head_that_declares_a_body_is_survived(tos: LocalTos) -> None:
    tos.oddities.add(Oddity.HEAD_WITH_LENGTH)
    store = store_at(tos)

    assert store.head("k") is None
    store.put("k", b"x")
    assert store.head("k") is not None


@pytest.mark.parametrize("status", ["Enabled", "Suspended"])
def test_a_bucket_with_versions_is_refused_with_the_reason(tos: LocalTos, status: str) -> None:
    put_bucket(tos.storage, "bucket", {"versioning": status})
    store = store_at(tos)

    for call in (
        lambda: store.put("k", b""),
        lambda: store.put_if_absent("k", b""),
        lambda: store.open_writer("k").commit(),
        lambda: store.concatenate("k", []),
        lambda: store.delete("k"),
    ):
        with pytest.raises(ConfigurationError, match="versioning"):
            call()
    assert list(store.list("")) == []
    assert store.is_versioned()


def test_a_bucket_is_asked_once_whether_it_has_versions(tos: LocalTos) -> None:
    store = store_at(tos)
    store.put("k", b"")
    tos.faults.add(FaultAction.ANSWER_500, "GET", "", "versioning")

    store.put("k", b"")
    store.delete("k")
    with pytest.raises(TransientError):
        store_at(tos).put("k", b"")
    store_at(tos).put("k", b"")


@pytest.mark.parametrize("size_bytes", [3, 6 * 1024 * 1024])
def test_a_key_that_may_not_ask_for_versions_learns_of_them_when_it_writes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, size_bytes: int
) -> None:
    def authorize(_key_id: str, action: str, _bucket: str, _key: str) -> bool:
        return action != "tos:GetBucketVersioning"

    with LocalTos(tmp_path, CREDENTIALS, REGION, security_tokens=TOKENS, authorize=authorize) as local:
        local.storage.create_bucket("bucket")
        store = store_at(local)
        assert store.put_if_absent("before", b"")
        assert [record.message for record in caplog.records] == ["bucket.versioning_unknown"]
        put_bucket(local.storage, "bucket", {"versioning": "Enabled"})

        with store.open_writer("k", if_absent=True) as writer:
            writer.write(bytes(size_bytes))
            with pytest.raises(ConfigurationError, match="versioning"):
                writer.commit()
        store.put("k", b"")


def test_an_etag_is_upper_case_here_and_as_tos_writes_it_on_the_wire(
    tos: LocalTos, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = store_at(tos)
    store.put("k", bytes(6_000_000))
    head = store.head("k")
    sent: list[str | None] = []
    send = requests.Session.send

    def watched(session: requests.Session, request: requests.PreparedRequest, **options: Any) -> Any:
        names = ("If-Match", "x-tos-copy-source-if-match")
        sent.extend(str(request.headers[name]) for name in names if name in request.headers)
        return send(session, request, **options)

    monkeypatch.setattr(requests.Session, "send", watched)
    assert head is not None
    b"".join(store.read("k", etag=head.etag))
    store.concatenate("joined", ["k"])

    assert head.etag == head.etag.upper()
    assert sent == [head.etag.lower()] * 2


def test_an_etag_that_is_no_md5_is_compared_when_the_answer_comes() -> None:
    asked: list[str | None] = []

    def get_object(_bucket: str, _key: str, *, if_match: str | None, **_: Any) -> SimpleNamespace:
        asked.append(if_match)
        chunks = iter([b"x", b""])
        return SimpleNamespace(
            read=lambda _: next(chunks),
            etag="Opaque",
            content_length=1,
            hash_crc64_ecma=None,
            content=SimpleNamespace(resp=SimpleNamespace(close=lambda: None)),
        )

    store = TosStore(SimpleNamespace(get_object=get_object), "bucket")

    assert b"".join(store.read("k", etag="OPAQUE")) == b"x"
    with pytest.raises(ObjectMissing):
        list(store.read("k", etag="OTHER"))
    assert asked == [None, None]


GUARD = """
import sys, threading
import urllib3.util.connection as connection
before, threads = connection.create_connection, threading.active_count()
from shared.stores.tos.store import open_tos_store
store = open_tos_store("tos-cn-beijing.volces.com", "cn-beijing", "bucket", access_key_id="key",
                       secret_access_key=sys.argv[2], security_token=sys.argv[3], proxy=sys.argv[1])
store.put("k", b"x")
assert store.get("k") == b"x" and store.head("k") and list(store.list("")) and not store.put_if_absent("k", b"")
assert connection.create_connection is before, "the SDK replaced urllib3's connect function"
assert threading.active_count() == threads, threading.enumerate()
"""


def test_the_sdk_leaves_the_process_as_it_is(tos: LocalTos) -> None:
    run = [sys.executable, "-c", GUARD, tos.proxy, SECRET, TOKEN]

    done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert done.stdout + done.stderr == ""


@pytest.mark.parametrize("action", [FaultAction.ANSWER_503, FaultAction.CUT_AFTER])
def test_the_sdk_repeats_nothing(tos: LocalTos, action: FaultAction) -> None:
    store = store_at(tos)
    store.put("k", b"before")
    tos.faults.add(action, "PUT", "k")

    with pytest.raises(TransientError):
        store.put("k", b"after")

    assert store.get("k") == (b"after" if action is FaultAction.CUT_AFTER else b"before")


def test_no_secret_is_logged_or_told_even_at_debug(
    tos: LocalTos, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG):
        store = store_at(tos)
        store.put("k", b"x")
        wrong = open_tos_store(
            tos.endpoint,
            REGION,
            "bucket",
            access_key_id="key",
            secret_access_key="an0ther",
            security_token=TOKEN,
            proxy=tos.proxy,
        )
        with pytest.raises(ConfigurationError) as raised:
            wrong.get("k")
        tos.stop()
        with pytest.raises(TransientError) as unanswered:
            store.get("k")

    shown = capsys.readouterr()
    told = [str(caplog.text), shown.out, shown.err]
    for error in (raised.value, unanswered.value):
        told += [str(error), repr(error), str(error.__cause__), repr(error.__cause__)]
    for secret in (SECRET, TOKEN, "an0ther"):
        assert secret not in "\n".join(told)
