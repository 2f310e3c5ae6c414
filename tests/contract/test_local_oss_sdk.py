"""The local OSS as oss2 sees it: signatures, operations, events, restarts, files copied by hand."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import itertools
import json
import os
import queue
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import oss2
import pytest
import requests
from fastcrc import crc64

from scripts.localcloud.access.own_keys import own_keys
from scripts.localcloud.oss.local_oss import LocalOss
from scripts.localcloud.oss.oss_events import render_oss_event
from scripts.localcloud.storage.changes import HandChanges
from scripts.localcloud.storage.content import PIECE_BYTES, Write
from scripts.localcloud.storage.object_events import ObjectEvent
from scripts.localcloud.storage.storage import Storage
from tests.support.processes import read_until, started
from tests.support.waiting import PATIENCE_S, wait_until

REGION = "cn-beijing"
KEY = "in/客户 名单+1%.csv"
PART = bytes(100 * 1024)


class Events:
    def __init__(self) -> None:
        self.all: list[ObjectEvent] = []

    def __call__(self, event: ObjectEvent) -> None:
        self.all.append(event)

    def names(self) -> list[str]:
        return [event.event_name.partition(":")[2] for event in self.all]

    def seen(self) -> list[tuple[str, str]]:
        return [(event.event_name.partition(":")[2], event.key) for event in self.all]


@pytest.fixture
def events() -> Events:
    return Events()


@pytest.fixture
def oss(tmp_path: Path, events: Events) -> Iterator[LocalOss]:
    with start(tmp_path, events) as running:
        running.storage.create_bucket("bucket")
        yield running


def start(data_dir: Path, events: Events) -> LocalOss:
    return LocalOss(
        data_dir,
        {"key": "secret", "STS.key": "temporary"},
        REGION,
        events,
        security_tokens={"STS.key": "token"},
        scan_interval_s=0.02,
    )


def sts(version: str) -> oss2.StsAuth:
    return oss2.StsAuth("STS.key", "temporary", "token", auth_version=version)


AUTHS: dict[str, Callable[[], object]] = {
    "v1": lambda: oss2.Auth("key", "secret"),
    "v2": lambda: oss2.AuthV2("key", "secret"),
    "v4": lambda: oss2.AuthV4("key", "secret"),
    "sts v1": lambda: sts("v1"),
    "sts v2": lambda: sts("v2"),
    "sts v4": lambda: sts("v4"),
}


def bucket_of(oss: LocalOss, auth: str = "v4", name: str = "bucket", url: str = "") -> oss2.Bucket:
    return oss2.Bucket(AUTHS[auth](), url or oss.url, name, region=REGION, enable_crc=False)


@pytest.mark.parametrize("auth", AUTHS)
def test_every_signature_of_the_sdk_is_accepted_for_every_kind_of_request(oss: LocalOss, auth: str) -> None:
    bucket = bucket_of(oss, auth)

    bucket.put_object(KEY, b"0123456789", headers={"x-oss-meta-foo": "bär".encode()})
    bucket.copy_object("bucket", KEY, "copy")
    upload = bucket.init_multipart_upload("multi").upload_id
    part = bucket.upload_part("multi", upload, 1, b"part")
    bucket.complete_multipart_upload("multi", upload, [oss2.models.PartInfo(1, part.etag)])

    assert bucket.get_object(KEY, byte_range=(2, 4)).read() == b"234"
    assert [found.key for found in oss2.ObjectIteratorV2(bucket, prefix="in/客户 名单+1%")] == [KEY]
    assert [found.key for found in oss2.ObjectIterator(bucket, max_keys=1)] == ["copy", KEY, "multi"]
    assert bucket.head_object(KEY).headers["x-oss-meta-foo"].encode("latin-1") == "bär".encode()
    assert bucket.batch_delete_objects([KEY, "copy"]).deleted_keys == [KEY, "copy"]


@pytest.mark.parametrize("auth", AUTHS)
@pytest.mark.parametrize("slash_safe", [True, False])
def test_a_signed_url_opens_one_object_without_any_key(oss: LocalOss, auth: str, slash_safe: bool) -> None:
    bucket = bucket_of(oss, auth)
    upload_url = bucket.sign_url("PUT", KEY, 60, slash_safe=slash_safe)
    download_url = bucket.sign_url(
        "GET", KEY, 60, slash_safe=slash_safe, params={"response-content-disposition": "attachment"}
    )

    put = requests.put(upload_url, b"content", timeout=PATIENCE_S)
    got = requests.get(download_url, timeout=PATIENCE_S)
    forged = requests.get(download_url.replace("csv", "txt"), timeout=PATIENCE_S)

    assert (put.status_code, got.content, forged.status_code) == (200, b"content", 403)
    assert got.headers["Content-Disposition"] == "attachment"


def test_what_was_said_of_an_object_is_said_again_with_it_and_with_its_copy(oss: LocalOss) -> None:
    bucket = bucket_of(oss)
    said = {"Content-Encoding": "gzip", "Cache-Control": "no-cache", "Content-Language": "zh"}

    bucket.put_object("k", b"x", headers={**said, "Content-Disposition": "inline", "x-oss-meta-a": "b"})
    bucket.copy_object("bucket", "k", "copy")

    for key in ("k", "copy"):
        headers = bucket.head_object(key).headers
        assert {name: headers[name] for name in said} == said
        assert headers["x-oss-meta-a"] == "b"
    overridden = bucket.get_object("k", params={"response-content-disposition": "attachment"})
    assert overridden.headers["Content-Disposition"] == "attachment"


@pytest.mark.parametrize(
    ("auth", "code"),
    [
        (oss2.AuthV4("key", "wrong"), "SignatureDoesNotMatch"),
        (oss2.Auth("key", "wrong"), "SignatureDoesNotMatch"),
        (oss2.AuthV2("key", "wrong"), "SignatureDoesNotMatch"),
        (oss2.AuthV4("other", "secret"), "InvalidAccessKeyId"),
        (oss2.StsAuth("key", "secret", "stale", auth_version="v4"), "InvalidSecurityToken"),
        (oss2.AnonymousAuth(), "AccessDenied"),
    ],
)
def test_a_stranger_reads_and_writes_nothing(oss: LocalOss, auth: object, code: str) -> None:
    bucket = oss2.Bucket(auth, oss.url, "bucket", region=REGION)

    for call in (lambda: bucket.put_object("k", b"x"), lambda: bucket.head_object("k")):
        with pytest.raises(oss2.exceptions.ServerError) as refused:
            call()
        assert (refused.value.status, refused.value.code) == (403, code)
    assert oss.storage.index.find_object("bucket", "k") is None


def test_the_sdks_own_checksums_agree(oss: LocalOss) -> None:
    bucket = oss2.Bucket(oss2.AuthV4("key", "secret"), oss.url, "bucket", region=REGION, enable_crc=True)

    put = bucket.put_object("k", b"123456789")
    first = bucket.append_object("log", 0, b"12345", init_crc=0)
    second = bucket.append_object("log", first.next_position, b"6789", init_crc=first.crc)

    assert put.crc == second.crc == 11051210869376104954
    assert bucket.head_object("log").object_type == "Appendable"


def test_appending_needs_the_right_position_and_an_appendable_object(oss: LocalOss) -> None:
    bucket = bucket_of(oss)
    bucket.put_object("plain", b"x")
    bucket.append_object("log", 0, b"12345")

    with pytest.raises(oss2.exceptions.PositionNotEqualToLength) as wrong:
        bucket.append_object("log", 3, b"x")
    with pytest.raises(oss2.exceptions.ObjectNotAppendable):
        bucket.append_object("plain", 1, b"x")

    assert wrong.value.next_position == 5


def test_ranges_follow_the_habits_of_oss(oss: LocalOss) -> None:
    bucket = bucket_of(oss)
    bucket.put_object("k", b"0123456789")
    standard = {"x-oss-range-behavior": "standard"}

    part = bucket.get_object("k", byte_range=(7, None))
    tail = bucket.get_object("k", byte_range=(None, 3))
    beyond = bucket.get_object("k", byte_range=(5, 99))
    clipped = bucket.get_object("k", byte_range=(5, 99), headers=standard)

    assert (part.status, part.content_range, part.read()) == (206, "bytes 7-9/10", b"789")
    assert tail.read() == b"789"
    assert (beyond.status, beyond.read()) == (200, b"0123456789")
    assert (clipped.status, clipped.read()) == (206, b"56789")
    with pytest.raises(oss2.exceptions.ServerError) as refused:
        bucket.get_object("k", byte_range=(10, None), headers=standard)
    assert (refused.value.status, refused.value.code) == (416, "InvalidRange")


def test_conditions_on_reads_and_copies_are_kept(oss: LocalOss) -> None:
    bucket = bucket_of(oss)
    etag = bucket.put_object("k", b"x").etag
    past, future = "Sat, 01 Jan 2000 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT"

    for headers, refusal in [
        ({"If-Match": '"0"'}, oss2.exceptions.PreconditionFailed),
        ({"If-Unmodified-Since": past}, oss2.exceptions.PreconditionFailed),
        ({"If-None-Match": f'"{etag}"'}, oss2.exceptions.ServerError),
        ({"If-Modified-Since": future}, oss2.exceptions.ServerError),
    ]:
        with pytest.raises(refusal):
            bucket.get_object("k", headers=headers)
        with pytest.raises(oss2.exceptions.ServerError):
            bucket.head_object("k", headers=headers)
    with pytest.raises(oss2.exceptions.PreconditionFailed):
        bucket.copy_object("bucket", "k", "copy", headers={"x-oss-copy-source-if-match": '"0"'})
    assert bucket.get_object("k", headers={"If-Match": etag, "If-None-Match": "0"}).read() == b"x"


def test_no_write_overwrites_what_it_must_not(oss: LocalOss) -> None:
    bucket = bucket_of(oss)
    bucket.put_object("k", b"first")
    forbid = {"x-oss-forbid-overwrite": "true"}
    upload = bucket.init_multipart_upload("k").upload_id
    part = bucket.upload_part("k", upload, 1, b"x")

    for call in (
        lambda: bucket.put_object("k", b"second", headers=forbid),
        lambda: bucket.put_object("k", iter([b"second"]), headers=forbid),
        lambda: bucket.copy_object("bucket", "k", "k", headers=forbid),
        lambda: bucket.init_multipart_upload("k", headers=forbid),
        lambda: bucket.complete_multipart_upload(
            "k", upload, [oss2.models.PartInfo(1, part.etag)], headers=forbid
        ),
    ):
        with pytest.raises(oss2.exceptions.ServerError) as refused:
            call()
        assert (refused.value.status, refused.value.code) == (409, "FileAlreadyExists")
    assert bucket.get_object("k").read() == b"first"
    assert refused.value.ec == "0026-00000002"


def test_a_multipart_upload_goes_through_all_its_stages(oss: LocalOss, events: Events) -> None:
    bucket = bucket_of(oss)
    bucket.put_object("source file", b"abcdefghij")
    upload = bucket.init_multipart_upload("multi", headers={"x-oss-meta-a": "b"}).upload_id
    bucket.upload_part("multi", upload, 1, b"replaced")
    parts = [
        bucket.upload_part("multi", upload, 1, PART).etag,
        bucket.upload_part_copy("bucket", "source file", (2, 4), "multi", upload, 7).etag,
    ]

    listed = list(oss2.PartIterator(bucket, "multi", upload, max_parts=1))
    uploads = [(found.key, found.upload_id) for found in oss2.MultipartUploadIterator(bucket)]
    result = bucket.complete_multipart_upload(
        "multi", upload, [oss2.models.PartInfo(n, e) for n, e in zip((1, 7), parts, strict=True)]
    )

    assert [(part.part_number, part.etag) for part in listed] == [(1, parts[0]), (7, parts[1])]
    assert uploads == [("multi", upload)]
    assert bucket.get_object("multi").read() == PART + b"cde"
    assert result.crc == crc64.xz(PART + b"cde")
    joined = hashlib.md5(b"".join(map(bytes.fromhex, parts)), usedforsecurity=False).hexdigest().upper()
    assert result.etag == f"{joined}-2"
    assert bucket.head_object("multi").headers["x-oss-meta-a"] == "b"
    assert list(oss2.MultipartUploadIterator(bucket)) == []
    assert events.names() == [
        "PutObject",
        "InitiateMultipartUpload",
        "UploadPart",
        "UploadPart",
        "UploadPartCopy",
        "CompleteMultipartUpload",
    ]


def test_a_multipart_upload_is_completed_only_from_its_own_parts(oss: LocalOss) -> None:
    bucket = bucket_of(oss)
    upload = bucket.init_multipart_upload("multi").upload_id
    small = [bucket.upload_part("multi", upload, n, b"small").etag for n in (1, 2)]

    def complete(*parts: tuple[int, str]) -> None:
        bucket.complete_multipart_upload("multi", upload, [oss2.models.PartInfo(n, e) for n, e in parts])

    for parts, code in [
        ([(1, small[0]), (2, small[1])], "EntityTooSmall"),
        ([(1, small[0]), (1, small[0])], "InvalidPartOrder"),
        ([(1, "0" * 32)], "InvalidPart"),
        ([(3, small[0])], "InvalidPart"),
    ]:
        with pytest.raises(oss2.exceptions.ServerError) as refused:
            complete(*parts)
        assert refused.value.code == code
    bucket.abort_multipart_upload("multi", upload)
    with pytest.raises(oss2.exceptions.NoSuchUpload):
        complete((1, small[0]))
    assert not bucket.object_exists("multi")
    assert list(oss.storage.layout.uploads_dir.iterdir()) == []


def test_a_listing_folds_folders_and_continues_where_it_stopped(oss: LocalOss) -> None:
    bucket = bucket_of(oss)
    for key in ["a", "b/1", "b/2", "b/3/4", "c", "c/", "d 客/1"]:
        bucket.put_object(key, b"")

    for iterator in (oss2.ObjectIterator, oss2.ObjectIteratorV2):
        for max_keys in (1, 2, 100):
            entries = [
                (entry.key, entry.is_prefix())
                for entry in itertools.islice(iterator(bucket, delimiter="/", max_keys=max_keys), 10)
            ]
            assert entries == [("a", False), ("b/", True), ("c", False), ("c/", True), ("d 客/", True)]
    assert [entry.key for entry in oss2.ObjectIterator(bucket, "b/", "/")] == ["b/1", "b/2", "b/3/"]
    assert next(entry.key for entry in oss2.ObjectIteratorV2(bucket, start_after="b/3/4")) == "c"


def test_a_body_that_was_cut_or_damaged_never_becomes_an_object(oss: LocalOss) -> None:
    bucket = bucket_of(oss)
    chunked = bucket.sign_url("PUT", "cut", 60).removeprefix(oss.url)
    host, _, port = oss.url.removeprefix("http://").partition(":")

    for head, body in [
        ("Transfer-Encoding: chunked", "5\r\nhello\r\n"),
        ("Transfer-Encoding: chunked", "zz\r\nhello\r\n"),
        ("Content-Length: 100", "hello"),
    ]:
        with socket.create_connection((host, int(port)), timeout=PATIENCE_S) as connection:
            connection.sendall(f"PUT {chunked} HTTP/1.1\r\nHost: 127.0.0.1\r\n{head}\r\n\r\n{body}".encode())
            connection.shutdown(socket.SHUT_WR)
            assert connection.recv(100).startswith(b"HTTP/1.1 400")
    with pytest.raises(oss2.exceptions.InvalidDigest):
        bucket.put_object("cut", b"hello", headers={"Content-MD5": "AAAAAAAAAAAAAAAAAAAAAA=="})

    assert not bucket.object_exists("cut")
    assert list(oss.storage.layout.temporary_dir.iterdir()) == []


def test_a_client_that_expects_100_continue_is_told_to_go_on_or_is_refused(oss: LocalOss) -> None:
    path = bucket_of(oss).sign_url("PUT", "k", 60).removeprefix(oss.url)

    def first_line(target: str) -> bytes:
        host, _, port = oss.url.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port)), timeout=PATIENCE_S) as connection:
            head = f"PUT {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
            connection.sendall(head.encode())
            return connection.recv(100).partition(b"\r\n")[0]

    assert first_line(path) == b"HTTP/1.1 100 Continue"
    assert first_line(path.replace("/k", "/other")) == b"HTTP/1.1 403 Forbidden"


def test_one_connection_serves_many_requests_and_refusals(oss: LocalOss) -> None:
    bucket = bucket_of(oss)
    connection = http.client.HTTPConnection(oss.url.removeprefix("http://"), timeout=PATIENCE_S)

    with contextlib.closing(connection):
        for number in range(5):
            connection.request("PUT", "/bucket/refused", body=b"x" * 100_000)
            refused = connection.getresponse()
            refused.read()
            url = bucket.sign_url("PUT", f"k{number}", 60).removeprefix(oss.url)
            connection.request("PUT", url, body=iter([b"a", b"b"]), encode_chunked=True)
            accepted = connection.getresponse()
            accepted.read()
            assert (refused.status, accepted.status) == (403, 200)
            assert accepted.headers["x-oss-request-id"]

    assert bucket.get_object("k4").read() == b"ab"


def test_buckets_are_made_listed_and_deleted_when_empty(oss: LocalOss) -> None:
    service = oss2.Service(oss2.AuthV4("key", "secret"), oss.url, region=REGION)
    other = bucket_of(oss, name="other")

    other.create_bucket()
    other.put_object("a/b", b"")
    names = [found.name for found in oss2.BucketIterator(service)]
    with pytest.raises(oss2.exceptions.BucketNotEmpty):
        other.delete_bucket()
    other.delete_object("a/b")
    other.delete_bucket()

    assert names == ["bucket", "other"]
    with pytest.raises(oss2.exceptions.NoSuchBucket):
        other.get_bucket_info()
    with pytest.raises(oss2.exceptions.NoSuchBucket):
        other.put_object("k", b"")
    assert bucket_of(oss).get_bucket_info().name == "bucket"


@pytest.mark.parametrize("key", ["../../escaped", "a/../../../escaped", "..\\escaped", "/etc/escaped"])
def test_no_key_leads_out_of_the_data_directory(oss: LocalOss, tmp_path: Path, key: str) -> None:
    outside = set(tmp_path.parent.rglob("escaped*"))

    with contextlib.suppress(oss2.exceptions.ServerError):
        bucket_of(oss).put_object(key, b"x")

    assert set(tmp_path.parent.rglob("escaped*")) == outside


def test_an_upload_does_not_follow_a_link_out_of_the_data_directory(oss: LocalOss, tmp_path: Path) -> None:
    outside = tmp_path.parent / f"{tmp_path.name}-outside"
    outside.mkdir()
    (tmp_path / "bucket" / "link").symlink_to(outside)

    bucket_of(oss).put_object("link/deep/k", b"x")

    assert list(outside.iterdir()) == []
    assert bucket_of(oss).get_object("link/deep/k").read() == b"x"


def test_objects_lie_in_the_folder_under_their_own_names(oss: LocalOss, tmp_path: Path) -> None:
    bucket = bucket_of(oss)
    bucket.put_object("inbox/deep/a.csv", b"x")
    bucket.delete_object("inbox/deep/a.csv")
    bucket.put_object("results/客户.csv", b"x")

    assert (tmp_path / "bucket/results/客户.csv").read_bytes() == b"x"
    assert sorted(path.name for path in (tmp_path / "bucket").iterdir()) == ["inbox", "results"]
    assert list((tmp_path / "bucket/inbox").iterdir()) == []


def test_events_are_told_in_the_documented_shapes(oss: LocalOss, events: Events) -> None:
    bucket = bucket_of(oss)
    put = bucket.put_object(KEY, b"hello", headers={"x-oss-meta-a": "b"})
    bucket.copy_object("bucket", KEY, "copy")
    bucket.append_object("log", 0, b"x")
    bucket.delete_object(KEY)
    bucket.delete_object(KEY)
    bucket.batch_delete_objects(["copy"])

    record = json.loads(render_oss_event(events.all[0]))["events"][0]

    assert events.names() == ["PutObject", "CopyObject", "AppendObject", "DeleteObject", "DeleteObjects"]
    assert record["eventName"] == "ObjectCreated:PutObject"
    assert record["oss"]["object"] == {
        "deltaSize": 5,
        "eTag": put.etag,
        "key": KEY,
        "objectMeta": {"mimeType": "text/csv", "userMeta": {"x-oss-meta-a": "b"}},
        "size": 5,
    }
    assert (
        record["oss"]["bucket"]["arn"] == f"acs:oss:{REGION}:{record['userIdentity']['principalId']}:bucket"
    )
    assert record["responseElements"]["requestId"] == put.request_id
    assert events.all[0].event_time.tzinfo is not None
    assert record["eventTime"] == f"{events.all[0].event_time:%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"


def test_objects_and_uploads_survive_a_restart(tmp_path: Path, events: Events) -> None:
    keys = [KEY, "x", "x/y", "folder/", "a/../b", ".hidden"]
    with start(tmp_path, events) as oss:
        oss.storage.create_bucket("bucket")
        for key in keys:
            bucket_of(oss).put_object(key, key.encode(), headers={"x-oss-meta-a": "b"})
        upload = bucket_of(oss).init_multipart_upload("multi").upload_id
        part = bucket_of(oss).upload_part("multi", upload, 1, b"part")
    told = len(events.all)

    with start(tmp_path, events) as oss:
        bucket = bucket_of(oss)
        bucket.complete_multipart_upload("multi", upload, [oss2.models.PartInfo(1, part.etag)])
        contents = {key: bucket.get_object(key).read().decode() for key in keys}
        meta = bucket.head_object(KEY).headers["x-oss-meta-a"]
        multi = bucket.get_object("multi").read()

    assert contents == {key: key for key in keys}
    assert (meta, multi) == ("b", b"part")
    assert events.names()[told:] == ["CompleteMultipartUpload"]


@pytest.mark.parametrize("damage", [Path.unlink, lambda file: file.write_bytes(b"no database" * 999)])
def test_a_lost_or_damaged_index_is_built_again_from_the_files(
    tmp_path: Path, events: Events, damage: Callable[[Path], object]
) -> None:
    keys = [KEY, "x", "x/y", "a/../b"]
    with start(tmp_path, events) as oss:
        oss.storage.create_bucket("bucket")
        for key in keys:
            bucket_of(oss).put_object(key, key.encode())
    damage(oss.storage.layout.index_file)

    with start(tmp_path, Events()) as oss:
        bucket = bucket_of(oss)
        wait_until(lambda: all(map(bucket.object_exists, keys)), "the objects to be found again")
        contents = [bucket.get_object(key).read().decode() for key in keys]

    assert contents == keys


def test_an_event_that_was_not_delivered_is_delivered_at_the_next_start(tmp_path: Path) -> None:
    class Killed(BaseException):
        pass

    def die(_: ObjectEvent) -> None:
        raise Killed

    storage = Storage(tmp_path, REGION, die)
    storage.create_bucket("bucket")
    with storage.new_content() as content:
        content.fill([b"x"])
        with pytest.raises(Killed):
            storage.publish(content, Write("bucket", "k", "ObjectCreated:PutObject", "REQUEST"))
    storage.close()
    events = Events()

    for _ in range(2):
        with start(tmp_path, events):
            pass

    assert events.seen() == [("PutObject", "k")]


def test_a_killed_server_leaves_whole_objects_only(tmp_path: Path) -> None:
    content = os.urandom(1 << 20) * 8
    etags = {hashlib.md5(bytes([n]) + content, usedforsecurity=False).hexdigest().upper() for n in range(20)}
    for _ in range(3):
        with serve(tmp_path) as (process, url):
            keys = own_keys(tmp_path)
            auth = oss2.AuthV4(keys.access_key_id, keys.access_key_secret)
            bucket = oss2.Bucket(auth, url, "bucket", region=REGION, enable_crc=False)
            done: queue.Queue[int] = queue.Queue()

            def upload(bucket: oss2.Bucket = bucket, done: queue.Queue[int] = done) -> None:
                with contextlib.suppress(oss2.exceptions.RequestError):
                    for number in range(20):
                        bucket.put_object("k", bytes([number]) + content)
                        done.put(number)

            with ThreadPoolExecutor(1) as thread:
                thread.submit(upload)
                done.get(timeout=PATIENCE_S)
                process.kill()

    events = Events()
    with start(tmp_path, events) as oss:
        row, stream = wait_for_open(oss, "k")
        with stream:
            found = hashlib.md5(stream.read(), usedforsecurity=False).hexdigest().upper()

    assert found == row.etag
    assert found in etags
    assert list((tmp_path / ".localcloud/temporary").iterdir()) == []


def wait_for_open(oss: LocalOss, key: str):
    opened = []

    def try_to_open() -> bool:
        with contextlib.suppress(Exception):
            opened.append(oss.storage.open("bucket", key))
        return bool(opened)

    wait_until(try_to_open, f"{key} to be indexed")
    return opened[0]


@contextmanager
def serve(data_dir: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, "-m", "scripts.localcloud.oss", str(data_dir), "--bucket", "bucket"]
    with started(command) as process:
        url = read_until(process, "endpoint ").split()[1]
        drain = threading.Thread(target=process.stdout.read, daemon=True)
        drain.start()
        yield process, url


def test_a_file_that_a_person_copies_in_is_an_upload(oss: LocalOss, tmp_path: Path, events: Events) -> None:
    (tmp_path / "bucket/inbox").mkdir()
    (tmp_path / "bucket" / KEY).parent.mkdir()
    (tmp_path / "bucket" / KEY).write_bytes(b"hello")

    wait_until(lambda: ("PutObject", KEY) in events.seen(), "the event")

    head = bucket_of(oss).head_object(KEY)
    assert (head.etag, head.content_type) == ("5D41402ABC4B2A76B9719D911017C592", "text/csv")
    assert bucket_of(oss).get_object(KEY).read() == b"hello"


def test_a_file_that_a_person_changes_or_deletes_is_one_more_event(
    oss: LocalOss, tmp_path: Path, events: Events
) -> None:
    bucket_of(oss).put_object("k", b"uploaded")

    (tmp_path / "bucket/k").write_bytes(b"changed!")
    wait_until(lambda: len(events.all) == 2, "the change")
    changed = bucket_of(oss).get_object("k").read()
    (tmp_path / "bucket/k").unlink()
    wait_until(lambda: len(events.all) == 3, "the deletion")

    assert changed == b"changed!"
    assert events.seen() == [("PutObject", "k"), ("PutObject", "k"), ("DeleteObject", "k")]
    assert not bucket_of(oss).object_exists("k")


def test_a_person_may_put_a_folder_where_an_object_was(oss: LocalOss, tmp_path: Path, events: Events) -> None:
    bucket = bucket_of(oss)
    bucket.put_object("k", b"file")
    (tmp_path / "bucket/k").unlink()
    (tmp_path / "bucket/k").mkdir()
    (tmp_path / "bucket/k/inside").write_bytes(b"inside")

    wait_until(lambda: {("DeleteObject", "k"), ("PutObject", "k/inside")} <= set(events.seen()), "both")
    bucket.put_object("k", b"beside the folder")

    assert bucket.get_object("k").read() == b"beside the folder"
    assert bucket.get_object("k/inside").read() == b"inside"


def test_a_file_counts_once_it_has_not_changed_between_two_scans(tmp_path: Path, events: Events) -> None:
    storage = Storage(tmp_path, REGION, events)
    storage.create_bucket("bucket")
    changes = HandChanges(storage)
    file = tmp_path / "bucket/k"

    with contextlib.closing(storage):
        file.write_bytes(b"half")
        changes.scan()
        file.write_bytes(b"half and the rest")
        changes.scan()
        before = list(events.all)
        for _ in range(3):
            changes.scan()

    assert before == []
    assert [(event.key, event.size_bytes) for event in events.all] == [("k", 17)]


@pytest.mark.parametrize("name", [b"\xb2\xe2\xca\xd4.csv", b"\xb2\xe2/a.csv", b"/".join([b"a" * 250] * 5)])
def test_a_file_whose_name_no_object_can_have_is_told_once(
    tmp_path: Path, events: Events, caplog: pytest.LogCaptureFixture, name: bytes
) -> None:
    storage = Storage(tmp_path, REGION, events)
    storage.create_bucket("bucket")
    changes = HandChanges(storage)
    file = tmp_path / "bucket" / os.fsdecode(name)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"")
    file.with_name(".hidden-" + file.name[:9]).write_bytes(b"")

    with contextlib.closing(storage):
        for _ in range(3):
            changes.scan()

    assert events.all == []
    [record] = caplog.records
    assert (record.message, vars(record)["file"]) == ("file.passed_over", str(file))


def test_a_listener_that_hears_of_a_copied_file_finds_what_was_copied_with_it(tmp_path: Path) -> None:
    found: dict[str, set[str]] = {}

    def look(event: ObjectEvent) -> None:
        found[event.key] = {row.key for row in storage.index.objects("bucket")}

    storage = Storage(tmp_path, REGION, look)
    storage.create_bucket("bucket")
    changes = HandChanges(storage)
    keys = {"inbox/x/a.csv", "inbox/x/batch.yaml", "inbox/x/below/z.csv"}
    for key in keys:
        (tmp_path / "bucket" / key).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "bucket" / key).write_bytes(b"x")

    with contextlib.closing(storage):
        changes.scan()
        changes.scan()

    assert found == dict.fromkeys(keys, keys)


def test_nothing_is_told_of_a_copied_folder_while_a_file_in_it_still_grows(
    tmp_path: Path, events: Events
) -> None:
    storage = Storage(tmp_path, REGION, events)
    storage.create_bucket("bucket")
    changes = HandChanges(storage)
    folder = tmp_path / "bucket/inbox/x"
    folder.mkdir(parents=True)
    (folder / "a.csv").write_bytes(b"whole")

    with contextlib.closing(storage):
        for size in range(1, 4):
            (folder / "b.csv").write_bytes(b"b" * size)
            changes.scan()
        (folder / "batch.yaml").write_bytes(b"model: qwen-plus")
        changes.scan()
        before = list(events.all)
        changes.scan()

    assert before == []
    assert sorted(event.key for event in events.all) == [
        "inbox/x/a.csv",
        "inbox/x/b.csv",
        "inbox/x/batch.yaml",
    ]


def test_a_file_that_never_rests_holds_up_its_own_folder_only_and_not_for_ever(
    tmp_path: Path, events: Events
) -> None:
    storage = Storage(tmp_path, REGION, events)
    storage.create_bucket("bucket")
    changes = HandChanges(storage)
    for name in ("inbox/a.csv", "results/a.csv"):
        (tmp_path / "bucket" / name).parent.mkdir()
        (tmp_path / "bucket" / name).write_bytes(b"whole")
    told: list[str] = []

    with contextlib.closing(storage):
        for size in range(40):
            (tmp_path / "bucket/inbox/log.txt").write_bytes(b"x" * size)
            changes.scan()
            if size == 1:
                told = [event.key for event in events.all]

    assert told == ["results/a.csv"]
    assert [event.key for event in events.all] == ["results/a.csv", "inbox/a.csv"]


def test_an_event_that_was_held_when_the_cloud_ended_is_told_at_its_next_start(
    tmp_path: Path, events: Events
) -> None:
    storage = Storage(tmp_path, REGION, Events())
    storage.create_bucket("bucket")
    changes = HandChanges(storage)
    (tmp_path / "bucket/inbox").mkdir()
    (tmp_path / "bucket/inbox/a.csv").write_bytes(b"whole")
    with contextlib.closing(storage):
        for size in range(1, 4):
            (tmp_path / "bucket/inbox/b.csv").write_bytes(b"b" * size)
            changes.scan()

    with start(tmp_path, events):
        wait_until(lambda: len(events.all) == 2, "both events")

    assert sorted(event.key for event in events.all) == ["inbox/a.csv", "inbox/b.csv"]


def test_small_files_wait_for_no_large_one_that_was_dropped_with_them(tmp_path: Path, events: Events) -> None:
    storage = Storage(tmp_path, REGION, events)
    storage.create_bucket("bucket")
    changes = HandChanges(storage)
    folder = tmp_path / "bucket/inbox"
    folder.mkdir()
    for name, size in {"huge": 40, "large": 8}.items():
        (folder / f"{name}.csv").write_bytes(name[:1].encode() * (size * PIECE_BYTES + 1))
    for number in range(12):
        (folder / f"small-{number}.csv").write_bytes(b"1,hello\n")
    told_after: dict[str, int] = {}

    with contextlib.closing(storage):
        changes.scan()
        for pieces in range(1, 60):
            changes.scan()
            for event in events.all:
                told_after.setdefault(event.key.removeprefix("inbox/"), pieces)
            changes.read_large(lambda: False)  # the time until the next scan is over at once

    assert {name: told_after.pop(f"{name}.csv") for name in ("large", "huge")} == {"large": 10, "huge": 50}
    assert told_after == {f"small-{number}.csv": 1 for number in range(12)}
    etags = {event.key: event.etag for event in events.all}
    for name in ("huge", "large"):
        content = (folder / f"{name}.csv").read_bytes()
        assert etags[f"inbox/{name}.csv"] == hashlib.md5(content, usedforsecurity=False).hexdigest().upper()


@pytest.mark.parametrize("change", ["grows", "is touched", "is replaced", "is deleted", "is locked"])
def test_a_large_file_that_changes_while_it_is_read_is_read_again_from_its_start(
    tmp_path: Path, events: Events, change: str
) -> None:
    storage = Storage(tmp_path, REGION, events)
    storage.create_bucket("bucket")
    changes = HandChanges(storage)
    file = tmp_path / "bucket/k"
    file.write_bytes(bytes(8 * PIECE_BYTES))

    def go_on(scans: int) -> None:
        for _ in range(scans):
            changes.scan()
            changes.read_large(lambda: False)

    with contextlib.closing(storage):
        go_on(4)
        if change == "grows":
            with file.open("ab") as stream:
                stream.write(b"more")
        elif change == "is touched":
            os.utime(file, ns=(1, 1))
        elif change == "is replaced":
            (tmp_path / "new").write_bytes(b"n" * 8 * PIECE_BYTES)
            (tmp_path / "new").replace(file)
        elif change == "is deleted":
            file.unlink()
        else:
            file.unlink()
            file.mkdir()
        go_on(20)

    if not file.is_file():
        assert events.all == []
        return
    expected = hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest().upper()
    assert [(event.key, event.etag) for event in events.all] == [("k", expected)]


def test_a_running_oss_tells_of_small_files_first_and_of_a_large_one_all_the_same(
    oss: LocalOss, tmp_path: Path, events: Events
) -> None:
    inbox = tmp_path / "prepared"
    inbox.mkdir()
    with (inbox / "huge.csv").open("wb") as sparse:
        sparse.truncate(300 * 1024 * 1024)
    for number in range(12):
        (inbox / f"small-{number}.csv").write_bytes(b"1,hello\n")

    inbox.rename(tmp_path / "bucket/inbox")  # all at once

    wait_until(lambda: len(events.all) == 13, "all events")

    assert events.all[-1].key == "inbox/huge.csv"
    assert bucket_of(oss).head_object("inbox/huge.csv").content_length == 300 * 1024 * 1024


def test_a_stop_waits_for_no_large_file_to_be_read(tmp_path: Path, events: Events) -> None:
    with start(tmp_path, events) as oss:
        oss.storage.create_bucket("bucket")
        with (tmp_path / "bucket/huge.csv").open("wb") as sparse:
            sparse.truncate(50 * 1024**3)
        wait_until(lambda: oss._hand_changes._large, "it to be read")

    assert events.all == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
@pytest.mark.parametrize(
    "name",
    [
        "two\nlines.csv",
        "12:30?.csv",
        "back\\slash.csv",
        'the "new" one.csv',
        "表😀.csv",
        "x" * 251 + ".csv",
        "dot.",
    ],
)
def test_an_odd_name_is_a_file_however_it_is_given(
    oss: LocalOss, events: Events, tmp_path: Path, name: str
) -> None:
    (tmp_path / "bucket/in").mkdir()
    (tmp_path / "bucket/in" / name).write_bytes(b"by hand")

    bucket_of(oss).put_object(f"out/{name}", b"uploaded")

    wait_until(lambda: f"in/{name}" in [event.key for event in events.all], "the copied file")
    assert bucket_of(oss).get_object(f"in/{name}").read() == b"by hand"
    assert (tmp_path / "bucket/out" / name).read_bytes() == b"uploaded"


@pytest.mark.parametrize(
    "name", [".DS_Store", "~$x.xlsx", "x.csv.part", "x.crdownload", ".~lock.x.csv#", ".hidden/x", "x.csv~"]
)
def test_what_programs_drop_beside_a_file_is_no_object(tmp_path: Path, events: Events, name: str) -> None:
    storage = Storage(tmp_path, REGION, events)
    storage.create_bucket("bucket")
    changes = HandChanges(storage)
    dropping = tmp_path / "bucket" / name
    dropping.parent.mkdir(exist_ok=True)
    dropping.write_bytes(b"x")

    with contextlib.closing(storage):
        for _ in range(3):
            changes.scan()

    assert events.all == []


def _links(to: str) -> Callable[[Path], object]:
    return lambda place: place.symlink_to(to)


def _links_on(place: Path) -> None:
    place.with_name(".folder").symlink_to("../../.localcloud")
    place.with_name("~$link").symlink_to(".folder/keys.json")
    place.symlink_to("~$link")


@pytest.mark.parametrize(
    "put",
    [
        _links("../../.localcloud/keys.json"),
        _links("../inbox/../../.localcloud/keys.json"),
        _links("../../other/secret.csv"),
        _links("../../beside.csv"),
        _links("../../../bucket/../outside.csv"),
        _links("/etc/hostname"),
        _links_on,
        _links("../../.localcloud"),
        _links("."),
        _links("a.csv"),
        _links("nowhere.csv"),
        _links("pipe"),
        _links("/dev/zero"),
        os.mkfifo,
        Path.mkdir,
    ],
)
def test_only_what_lies_in_its_folder_is_a_buckets_object(
    tmp_path: Path, events: Events, put: Callable[[Path], object]
) -> None:
    data_dir = tmp_path / "data"
    storage = Storage(data_dir, REGION, events)
    storage.create_bucket("bucket")
    storage.create_bucket("other")
    changes = HandChanges(storage)
    secrets = [data_dir / ".localcloud/keys.json", data_dir / "beside.csv", tmp_path / "outside.csv"]
    for file in (*secrets, data_dir / "other/secret.csv"):
        file.write_bytes(b"secret")
    inbox = data_dir / "bucket/inbox"
    inbox.mkdir()
    os.mkfifo(inbox / "pipe")
    put(inbox / "a.csv")

    with contextlib.closing(storage):
        for _ in range(3):
            changes.scan()

    assert [event.key for event in events.all if event.bucket == "bucket"] == []


def test_a_link_within_its_bucket_is_an_object_wherever_the_data_lie(tmp_path: Path, events: Events) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "linked").symlink_to("real")
    storage = Storage(tmp_path / "linked/data", REGION, events)
    storage.create_bucket("bucket")
    changes = HandChanges(storage)
    inbox = tmp_path / "real/data/bucket/inbox"
    inbox.mkdir()
    (inbox / "a.csv").write_bytes(b"x")
    (inbox / "b.csv").symlink_to("../inbox/a.csv")
    (inbox / "c.csv").symlink_to(tmp_path / "linked/data/bucket/inbox/a.csv")

    with contextlib.closing(storage):
        for _ in range(3):
            changes.scan()

    assert sorted(event.key for event in events.all) == ["inbox/a.csv", "inbox/b.csv", "inbox/c.csv"]


def test_what_changed_while_the_cloud_was_down_is_told_at_its_start(tmp_path: Path, events: Events) -> None:
    with start(tmp_path, Events()) as oss:
        oss.storage.create_bucket("bucket")
        for key in ("kept", "changed", "deleted"):
            bucket_of(oss).put_object(key, b"x")
    (tmp_path / "bucket/changed").write_bytes(b"changed")
    (tmp_path / "bucket/deleted").unlink()
    shutil.copy(tmp_path / "bucket/kept", tmp_path / "bucket/added")

    with start(tmp_path, events):
        wait_until(lambda: len(events.all) == 3, "three events")

    assert sorted(events.seen()) == [
        ("DeleteObject", "deleted"),
        ("PutObject", "added"),
        ("PutObject", "changed"),
    ]


def test_an_object_that_was_changed_by_hand_is_not_served_half(tmp_path: Path, events: Events) -> None:
    with LocalOss(tmp_path, {"key": "secret"}, REGION, events, scan_interval_s=3600) as oss:
        oss.storage.create_bucket("bucket")
        bucket_of(oss).put_object("k", b"uploaded")
        (tmp_path / "bucket/k").write_bytes(b"half")

        with pytest.raises(oss2.exceptions.ServerError) as refused:
            bucket_of(oss).get_object("k")

    assert refused.value.status == 503


def test_a_file_copied_in_by_hand_is_not_overwritten_by_create_if_absent(
    tmp_path: Path, events: Events
) -> None:
    with LocalOss(tmp_path, {"key": "secret"}, REGION, events, scan_interval_s=3600) as oss:
        oss.storage.create_bucket("bucket")
        (tmp_path / "bucket/k").write_bytes(b"by hand")

        with pytest.raises(oss2.exceptions.ServerError) as refused:
            bucket_of(oss).put_object("k", b"x", headers={"x-oss-forbid-overwrite": "true"})

    assert refused.value.code == "FileAlreadyExists"
    assert (tmp_path / "bucket/k").read_bytes() == b"by hand"


def test_operations_that_are_not_there_are_refused_by_name(oss: LocalOss) -> None:
    with pytest.raises(oss2.exceptions.ServerError) as refused:
        bucket_of(oss).restore_object("k")

    assert (refused.value.status, refused.value.code) == (501, "NotImplemented")
