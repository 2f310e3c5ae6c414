"""What the stores of TOS and COS promise alike: about versions, refusals, repetitions, secrets."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from qcloud_cos import CosServiceError
from tos.exceptions import TosServerError

from scripts.localcloud.storage.content import Write
from scripts.localcloud.storage.properties import put_bucket
from scripts.localcloud.storage_http.incoming.request_faults import FaultAction
from shared.problems.exceptions import ConfigurationError, OutcomeUnknown, TransientError
from shared.problems.render import MESSAGES
from shared.stores.cos.store import CosStore
from shared.stores.pieces.guarded_store import GuardedStore
from shared.stores.tos.store import TosStore
from tests.support.local_stores import COS_BUCKET, REGION, SECRET, TOKEN, Cloud, cos_cloud, tos_cloud
from tests.support.writing import of_fifty_writers

ROOT = Path(__file__).parents[2]
GUARDED = {"tos": tos_cloud, "cos": cos_cloud}


@pytest.fixture(params=GUARDED)
def cloud(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cloud]:
    with GUARDED[request.param](tmp_path) as running:
        yield running


def guarded(cloud: Cloud) -> GuardedStore:
    store = cloud.store()
    assert isinstance(store, GuardedStore)
    return store


def test_of_fifty_writers_one_wins(cloud: Cloud) -> None:
    store = cloud.store()

    won = of_fifty_writers(store, "claim")

    assert won.count(True) == 1
    assert store.get("claim") == bytes([won.index(True)])


def test_a_list_of_more_pages_than_one_is_whole(cloud: Cloud) -> None:
    keys = [f"many/{number:04d}" for number in range(1003)]
    for key in keys:
        with cloud.local.storage.new_content() as content:
            cloud.local.storage.publish(content, Write(cloud.bucket, key, "ObjectCreated:Put", "1"))

    assert [head.key for head in cloud.store().list("many/")] == keys


@pytest.mark.parametrize("status", ["Enabled", "Suspended"])
def test_a_bucket_with_versions_is_refused_with_the_reason(cloud: Cloud, status: str) -> None:
    put_bucket(cloud.local.storage, cloud.bucket, {"versioning": status})
    store = guarded(cloud)

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


def test_a_bucket_is_asked_once_whether_it_has_versions(cloud: Cloud) -> None:
    store = cloud.store()
    store.put("k", b"")
    cloud.local.faults.add(FaultAction.ANSWER_500, "GET", "", "versioning")

    store.put("k", b"")
    store.delete("k")
    with pytest.raises(TransientError):
        cloud.store().put("k", b"")
    cloud.store().put("k", b"")


@pytest.mark.parametrize("open_cloud", GUARDED.values(), ids=GUARDED)
@pytest.mark.parametrize("size_bytes", [3, 6 * 1024 * 1024])
def test_a_key_that_may_not_ask_for_versions_learns_of_them_when_it_writes(
    open_cloud: Any, size_bytes: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def authorize(_key_id: str, action: str, _bucket: str, _key: str) -> bool:
        return not action.endswith(":GetBucketVersioning")

    with open_cloud(tmp_path, authorize=authorize) as cloud:
        store = cloud.store()
        assert store.put_if_absent("before", b"")
        assert [record.message for record in caplog.records] == ["bucket.versioning_unknown"]
        put_bucket(cloud.local.storage, cloud.bucket, {"versioning": "Enabled"})

        with store.open_writer("k", if_absent=True) as writer:
            writer.write(bytes(size_bytes))
            with pytest.raises(ConfigurationError, match="versioning"):
                writer.commit()
        store.put("k", b"")


def test_an_etag_is_upper_case_here_and_as_the_cloud_writes_it_on_the_wire(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = cloud.store()
    store.put("k", bytes(6_000_000))
    head = store.head("k")
    sent: list[str] = []
    send = requests.Session.send

    def watched(session: requests.Session, request: requests.PreparedRequest, **options: Any) -> Any:
        sent.extend(
            (value if isinstance(value, str) else value.decode()).strip('"')
            for name, value in request.headers.items()
            if name.lower().endswith("if-match")
        )
        return send(session, request, **options)

    monkeypatch.setattr(requests.Session, "send", watched)
    assert head is not None
    b"".join(store.read("k", etag=head.etag))
    store.concatenate("joined", ["k"])

    assert head.etag == head.etag.upper()
    assert sent == [head.etag.lower()] * 2


@pytest.mark.parametrize("action", [FaultAction.ANSWER_503, FaultAction.CUT_AFTER])
def test_the_sdk_repeats_nothing(cloud: Cloud, action: FaultAction) -> None:
    store = cloud.store()
    store.put("k", b"before")
    cloud.local.faults.add(action, "PUT", "k")

    with pytest.raises(TransientError):
        store.put("k", b"after")

    assert store.get("k") == (b"after" if action is FaultAction.CUT_AFTER else b"before")


def test_no_secret_is_logged_or_told_even_at_debug(
    cloud: Cloud, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG):
        store = cloud.store()
        store.put("k", b"x")
        with pytest.raises(ConfigurationError) as raised:
            cloud.store(secret="an0ther").get("k")
        cloud.local.stop()
        with pytest.raises(TransientError) as unanswered:
            store.get("k")

    shown = capsys.readouterr()
    told = [str(caplog.text), shown.out, shown.err]
    for error in (raised.value, unanswered.value):
        told += [str(error), repr(error), str(error.__cause__), repr(error.__cause__)]
    for secret in (SECRET, TOKEN, "an0ther"):
        assert secret not in "\n".join(told)


OPEN_TOS = """
from shared.stores.tos.store import open_tos_store
store = open_tos_store("tos-cn-beijing.volces.com", "cn-beijing", bucket, access_key_id="key",
                       secret_access_key=secret, security_token=token, proxy=address)
"""
OPEN_COS = """
from shared.stores.cos.store import open_cos_store
store = open_cos_store("cn-beijing", bucket, secret_id="key", secret_key=secret, token=token, address=address)
"""
GUARD = """
import sys, threading
import urllib3.util.connection as connection
before, threads = connection.create_connection, threading.active_count()
address, bucket, secret, token = sys.argv[2:]
exec(sys.argv[1])
store.put("k", b"x")
assert store.get("k") == b"x" and store.head("k") and list(store.list("")) and not store.put_if_absent("k", b"")
assert store.head("none") is None
assert connection.create_connection is before, "the SDK replaced urllib3's connect function"
assert threading.active_count() == threads, threading.enumerate()
assert "Crypto" not in sys.modules, "it takes a tenth of a second"
"""


@pytest.mark.parametrize(
    ("open_cloud", "code"), [(tos_cloud, OPEN_TOS), (cos_cloud, OPEN_COS)], ids=["tos", "cos"]
)
def test_the_sdk_leaves_the_process_as_it_is(open_cloud: Any, code: str, tmp_path: Path) -> None:
    with open_cloud(tmp_path) as cloud:
        run = [sys.executable, "-c", GUARD, code, cloud.local.address, cloud.bucket, SECRET, TOKEN]
        done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert done.stdout + done.stderr == ""


def tos_refusal(status: int, code: str) -> TosServerError:
    answer = SimpleNamespace(request_id="1", status=status, headers={})
    return TosServerError(answer, "", code, "", "")


def cos_refusal(status: int, code: str) -> CosServiceError:
    fields = {"Code": code, "Message": "m", "Resource": "r", "RequestId": "1"}
    document = "".join(f"<{name}>{text}</{name}>" for name, text in fields.items())
    return CosServiceError("GET", f"<Error>{document}</Error>" if code else "bad gateway", status)


class Refusing:
    """A client of which every call but that about versions is refused alike."""

    def __init__(self, refusal: Exception, **answers: Any) -> None:
        self._refusal = refusal
        self._answers = answers

    def get_bucket_version(self, _bucket: str) -> SimpleNamespace:
        return SimpleNamespace(status=None)

    def get_bucket_versioning(self, _bucket: str) -> dict[str, str]:
        return {}

    def __getattr__(self, name: str) -> Any:
        def refuse(*_: Any, **__: Any) -> Any:
            answer = self._answers.get(name, self._refusal)
            if isinstance(answer, Exception):
                raise answer
            return answer

        return refuse


def tos_refusing(status: int, code: str) -> GuardedStore:
    return TosStore(Refusing(tos_refusal(status, code)), "bucket")


def cos_refusing(status: int, code: str) -> GuardedStore:
    return CosStore(Refusing(cos_refusal(status, code)), COS_BUCKET, REGION)


REFUSING = pytest.mark.parametrize("refusing", [tos_refusing, cos_refusing])
CALLS: dict[str, Callable[[GuardedStore], object]] = {
    "list": lambda store: list(store.list("in/")),
    "put": lambda store: store.put("k", b""),
    "create": lambda store: store.put_if_absent("k", b""),
    "write": lambda store: store.open_writer("k").commit(),
    "upload": lambda store: store.open_writer("k").write(bytes(11_000_000)),
    "read": lambda store: store.get("k"),
    "delete": lambda store: store.delete("k"),
}


@REFUSING
@pytest.mark.parametrize("call", CALLS)
def test_a_404_of_a_gateway_says_nothing_of_an_object(
    refusing: Callable[[int, str], GuardedStore], call: str
) -> None:
    with pytest.raises(TransientError):
        CALLS[call](refusing(404, ""))


@REFUSING
@pytest.mark.parametrize("code", ["NoSuchKey", "NoSuchObject", "PreconditionFailed"])
@pytest.mark.parametrize("call", ["list", "put", "create", "write", "upload"])
def test_only_a_call_that_reads_an_object_misses_it(
    refusing: Callable[[int, str], GuardedStore], call: str, code: str
) -> None:
    status = 412 if code == "PreconditionFailed" else 404

    with pytest.raises((TransientError, ConfigurationError)):
        CALLS[call](refusing(status, code))


@REFUSING
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
        (404, "NoSuchBucket", "bucket_missing"),
        (400, "Unheard", "bucket_unusable"),
    ],
)
def test_a_refusal_says_who_must_do_what(
    refusing: Callable[[int, str], GuardedStore], status: int, code: str, trouble: str
) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        refusing(status, code).delete("k")

    assert refusal.value.trouble == trouble
    assert trouble in MESSAGES


def tos_aborting(held: bytes | None) -> GuardedStore:
    """Its conditional puts are aborted; ``held`` is what is there then."""
    chunks = iter([held, b""])
    found = SimpleNamespace(
        read=lambda _: next(chunks),
        etag="e",
        content_length=1,
        hash_crc64_ecma=None,
        content=SimpleNamespace(resp=SimpleNamespace(close=lambda: None)),
    )
    answer = tos_refusal(404, "NoSuchKey") if held is None else found
    return TosStore(Refusing(tos_refusal(409, "OperationAborted"), get_object=answer), "bucket")


def cos_aborting(held: bytes | None) -> GuardedStore:
    chunks = iter([held, b""])
    raw = SimpleNamespace(read=lambda _: next(chunks), close=lambda: None)
    found = {"etag": '"e"', "Content-Length": "1", "Body": SimpleNamespace(get_raw_stream=lambda: raw)}
    answer = cos_refusal(404, "NoSuchKey") if held is None else found
    client = Refusing(cos_refusal(409, "OperationAborted"), get_object=answer)
    return CosStore(client, COS_BUCKET, REGION)


@pytest.mark.parametrize("aborting", [tos_aborting, cos_aborting])
def test_an_aborted_write_is_settled_by_what_is_there(
    aborting: Callable[[bytes | None], GuardedStore],
) -> None:
    assert not aborting(b"theirs").put_if_absent("k", b"ours")
    with pytest.raises(OutcomeUnknown):
        aborting(b"ours").put_if_absent("k", b"ours")
    with pytest.raises(TransientError) as raised:
        aborting(None).put_if_absent("k", b"ours")
    assert not isinstance(raised.value, OutcomeUnknown)
