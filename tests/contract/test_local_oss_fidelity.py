"""What other clients than oss2 need of the local OSS, and that it refuses what it does not have."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.client
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import oss2
import pytest
import requests
from oss2.models import Tagging, TaggingRule

from scripts.localcloud.oss.local_oss import LocalOss
from scripts.localcloud.storage.object_events import ObjectEvent
from tests.support.waiting import PATIENCE_S

REGION = "cn-beijing"
PART = bytes(100 * 1024)
CONTROLS = "".join(map(chr, range(1, 32)))
ODD_KEY = f"in/{CONTROLS}<&>客.csv"


@pytest.fixture
def events() -> list[ObjectEvent]:
    return []


@pytest.fixture
def oss(tmp_path: Path, events: list[ObjectEvent]) -> Iterator[LocalOss]:
    with start(tmp_path, events) as running:
        running.storage.create_bucket("bucket")
        yield running


@pytest.fixture
def bucket(oss: LocalOss) -> oss2.Bucket:
    return bucket_of(oss)


def start(data_dir: Path, events: list[ObjectEvent]) -> LocalOss:
    return LocalOss(data_dir, {"key": "secret"}, REGION, events.append, scan_interval_s=3600)


def bucket_of(oss: LocalOss, name: str = "bucket", version: str = "v4", url: str = "") -> oss2.Bucket:
    auth = oss2.make_auth("key", "secret", version)
    return oss2.Bucket(auth, url or oss.url, name, region=REGION, enable_crc=False)


def code_of(call: Callable[[], object]) -> tuple[int, str]:
    with pytest.raises(oss2.exceptions.ServerError) as refused:
        call()
    return refused.value.status, refused.value.code


def send(oss: LocalOss, method: str, url: str, body: bytes | None = None) -> tuple[int, bytes]:
    """A request with a signed URL's own host, which need not resolve."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(oss.url).port, timeout=PATIENCE_S)
    with contextlib.closing(connection):
        connection.request(method, f"{parts.path}?{parts.query}", body, {"Host": parts.netloc})
        answer = connection.getresponse()
        return answer.status, answer.read()


@pytest.mark.parametrize("version", ["v1", "v2", "v4"])
def test_the_bucket_may_stand_in_the_name_of_the_host(oss: LocalOss, version: str) -> None:
    hosted = bucket_of(oss, version=version, url=oss.url.replace("127.0.0.1", "oss.localhost"))
    key = "in/客户 名单+1%.csv"
    put, got = hosted.sign_url("PUT", key, 60), hosted.sign_url("GET", key, 60)

    answers = send(oss, "PUT", put, b"content"), send(oss, "GET", got)

    assert urlsplit(put).netloc.startswith("bucket.oss.localhost:")
    assert [answer[0] for answer in answers] == [200, 200]
    assert answers[1][1] == b"content"
    assert bucket_of(oss).get_object(key).read() == b"content"


@pytest.mark.parametrize("version", ["v1", "v4"])
def test_a_client_that_takes_us_for_the_cloud_is_served_and_kept_here(oss: LocalOss, version: str) -> None:
    """As Node's SDK does, whose ``Host`` is the cloud's even where its endpoint is 127.0.0.1."""
    hosted = bucket_of(oss, version=version, url=f"http://oss-{REGION}.aliyuncs.com")
    bucket_of(oss).put_object("k", b"content")

    got = send(oss, "GET", hosted.sign_url("GET", "k", 60))
    missing = send(oss, "GET", hosted.sign_url("GET", "none", 60))

    assert got == (200, b"content")
    assert f"<HostId>{oss.url.removeprefix('http://')}<".encode() in missing[1]


def test_a_bucket_tells_the_endpoint_by_which_it_was_asked(oss: LocalOss) -> None:
    info = bucket_of(oss).get_bucket_info()
    listed = oss2.Service(oss2.AuthV4("key", "secret"), oss.url, region=REGION).list_buckets().buckets[0]

    endpoint = oss.url.removeprefix("http://")
    assert (info.extranet_endpoint, info.intranet_endpoint) == (endpoint, endpoint)
    assert (listed.extranet_endpoint, listed.intranet_endpoint) == (endpoint, endpoint)


@pytest.mark.parametrize("query", ["", "&list-type=2&fetch-owner=true"])
def test_a_listing_names_the_owner(oss: LocalOss, bucket: oss2.Bucket, query: str) -> None:
    bucket.put_object("k", b"")
    params = dict(item.split("=") for item in query.split("&") if item)
    answer = bucket._do("GET", "bucket", "", params=params)

    assert b"<Owner><ID>" in answer.read()


def test_a_listing_of_the_second_version_names_the_owner_only_if_asked(bucket: oss2.Bucket) -> None:
    bucket.put_object("k", b"")

    assert bucket.list_objects_v2().object_list[0].owner is None


@pytest.mark.parametrize(
    "params", [{}, {"lifecycle": ""}, {"objectMeta": ""}, {"acl": ""}, {"uploads": ""}, {"website": ""}]
)
@pytest.mark.parametrize("secret", ["secret", "wrong"])
def test_a_missing_bucket_is_told_before_all_else(oss: LocalOss, params: dict[str, str], secret: str) -> None:
    missing = oss2.Bucket(oss2.AuthV4("key", secret), oss.url, "missing", region=REGION)

    assert code_of(lambda: missing._do("GET", "missing", "", params=params)) == (404, "NoSuchBucket")
    assert code_of(lambda: missing._do("GET", "missing", "k", params=params)) == (404, "NoSuchBucket")


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
@pytest.mark.parametrize("body", [b"", b"12345", b"1234567890"])
def test_a_request_without_a_body_may_announce_one(
    oss: LocalOss, bucket: oss2.Bucket, method: str, body: bytes
) -> None:
    bucket.put_object("k", b"content")
    parts = urlsplit(bucket.sign_url(method, "k", 60))
    head = (
        f"{method} {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Length: 10\r\n\r\n"
    )

    with socket.create_connection(("127.0.0.1", parts.port or 0), timeout=PATIENCE_S) as connection:
        connection.sendall(head.encode() + body)
        answer = b"".join(iter(lambda: connection.recv(4096), b""))

    assert answer.startswith((b"HTTP/1.1 200", b"HTTP/1.1 204"))
    assert b"Connection: close" in answer
    assert answer.endswith(b"content") == (method == "GET")


def multipart(bucket: oss2.Bucket, key: str, sizes: tuple[int, ...] = (102400, 3), **headers: str) -> str:
    upload = bucket.init_multipart_upload(key, headers=headers).upload_id
    for number, size_bytes in enumerate(sizes, 1):
        bucket.upload_part(key, upload, number, bytes(size_bytes))
    return upload


def test_an_upload_is_completed_from_all_that_arrived(bucket: oss2.Bucket) -> None:
    upload = multipart(bucket, "k")

    bucket.complete_multipart_upload("k", upload, None, headers={"x-oss-complete-all": "yes"})

    assert bucket.head_object("k").content_length == 102403


@pytest.mark.parametrize(("word", "with_parts"), [("no", False), ("yes", True)])
def test_all_parts_are_asked_for_in_one_way_only(bucket: oss2.Bucket, word: str, with_parts: bool) -> None:
    upload = multipart(bucket, "k", (3,))
    parts = bucket.list_parts("k", upload).parts if with_parts else None

    def complete() -> None:
        bucket.complete_multipart_upload("k", upload, parts, headers={"x-oss-complete-all": word})

    assert code_of(complete) == (400, "InvalidArgument")
    assert not bucket.object_exists("k")


KEPT = {
    "x-oss-storage-class": "IA",
    "x-oss-server-side-encryption": "AES256",
    "x-oss-meta-a": "b",
    "Cache-Control": "no-cache",
}


@pytest.mark.parametrize("way", ["put", "append", "multipart", "symlink"])
def test_what_a_writer_says_of_an_object_is_told_to_its_reader(bucket: oss2.Bucket, way: str) -> None:
    said = {**KEPT, "x-oss-tagging": "a=b&c=%E5%AE%A2"}
    if way == "put":
        bucket.put_object("k", b"x", headers=said)
    if way == "append":
        bucket.append_object("k", 0, b"x", headers=said)
        bucket.append_object("k", 1, b"y", headers={"x-oss-meta-a": "later", "x-oss-tagging": "%%"})
    if way == "multipart":
        upload = multipart(bucket, "k", (3,), **said)
        bucket.complete_multipart_upload("k", upload, bucket.list_parts("k", upload).parts)
    if way == "symlink":
        bucket.put_object("target", b"x")
        bucket.put_symlink("target", "k", headers=said)

    headers = bucket.head_object("k").headers

    assert {name: headers[name] for name in KEPT} == KEPT
    assert headers["x-oss-tagging-count"] == "2"
    assert bucket.get_object_tagging("k").tag_set.tagging_rule == {"a": "b", "c": "客"}
    assert "x-oss-tagging" not in headers


@pytest.mark.parametrize(
    ("directives", "expected"),
    [
        ({}, ("text/plain", "old", {"a": "old"})),
        ({"x-oss-metadata-directive": "REPLACE"}, ("text/plain", "new", {"a": "old"})),
        ({"x-oss-tagging-directive": "replace"}, ("text/plain", "old", {"b": "new"})),
        (
            {"x-oss-metadata-directive": "REPLACE", "Content-Type": "text/csv"},
            ("text/csv", "new", {"a": "old"}),
        ),
    ],
)
def test_a_copy_keeps_what_it_is_not_told_to_replace(
    bucket: oss2.Bucket, directives: dict[str, str], expected: tuple[str, str, dict[str, str]]
) -> None:
    lock = {"x-oss-meta-client-side-encryption-key": "key", "x-oss-storage-class": "IA"}
    old = {"Content-Type": "text/plain", "x-oss-meta-a": "old", "x-oss-tagging": "a=old", **lock}
    bucket.put_object("source 1+2", b"x", headers=old)

    headers = {"x-oss-meta-a": "new", "x-oss-tagging": "b=new", **directives}
    bucket.copy_object("bucket", "source 1+2", "copy", headers=headers)

    head = bucket.head_object("copy")
    tags = bucket.get_object_tagging("copy").tag_set.tagging_rule
    assert (head.content_type, head.headers["x-oss-meta-a"], tags) == expected
    assert head.headers["x-oss-meta-client-side-encryption-key"] == "key"
    assert head.headers["x-oss-storage-class"] == "Standard"


def test_a_blank_in_the_source_of_a_copy_may_be_written_as_plus(bucket: oss2.Bucket) -> None:
    bucket.put_object("a b+c", b"x")

    bucket._do("PUT", "bucket", "copy", headers={"x-oss-copy-source": "%2Fbucket%2Fa+b%2Bc"})

    assert bucket.get_object("copy").read() == b"x"


@pytest.mark.parametrize(
    "headers",
    [
        {"x-oss-storage-class": "Cheap"},
        {"x-oss-object-acl": "everybody"},
        {"x-oss-server-side-encryption": "ROT13"},
        {"x-oss-tagging": "a%25b=c"},
        {"x-oss-tagging": "=c"},
        {"x-oss-tagging": f"a={'v' * 257}"},
        {"x-oss-tagging": f"{'k' * 129}=a"},
        {"x-oss-tagging": "a=b&a=c"},
        {"x-oss-tagging": "&".join(f"k{n}=v" for n in range(11))},
    ],
)
def test_what_the_service_does_not_know_is_no_object(bucket: oss2.Bucket, headers: dict[str, str]) -> None:
    for call in (
        lambda: bucket.put_object("k", b"x", headers=headers),
        lambda: bucket.init_multipart_upload("k", headers=headers),
        lambda: bucket.append_object("k", 0, b"x", headers=headers),
        lambda: bucket.put_symlink("target", "k", headers=headers),
    ):
        assert code_of(call)[0] == 400
    assert not bucket.object_exists("k")


@pytest.mark.parametrize(
    "header",
    [
        "callback",
        "callback-var",
        "traffic-limit",
        "process",
        "object-worm-mode",
        "copy-source-version-id",
        "server-side-encryption-customer-algorithm",
        "server-side-encryption-customer-key",
    ],
)
def test_a_header_that_is_not_emulated_is_refused_by_name(bucket: oss2.Bucket, header: str) -> None:
    with pytest.raises(oss2.exceptions.ServerError) as refused:
        bucket.put_object("k", b"x", headers={f"x-oss-{header}": "1"})

    assert (refused.value.status, refused.value.code) == (501, "NotImplemented")
    assert f"x-oss-{header}" in refused.value.message
    assert not bucket.object_exists("k")


@pytest.mark.parametrize(
    "params",
    [
        {"restore": ""},
        {"acl": ""},
        {"symlink": ""},
        {"objectMeta": ""},
        {"versionId": "1"},
        {"x-oss-process": "image/info"},
        {"x-oss-traffic-limit": "819200"},
        {"callback": "e30="},
        {"legalHold": ""},
        {"legalHold": "1"},
        {"retention": "1"},
        {"udfName": "1"},
        {"something-new": ""},
    ],
)
def test_an_operation_that_is_not_emulated_never_becomes_another_one(
    bucket: oss2.Bucket, params: dict[str, str]
) -> None:
    bucket.put_object("k", b"x")

    assert code_of(lambda: bucket._do("DELETE", "bucket", "k", params=params)) == (501, "NotImplemented")
    assert bucket.get_object("k").read() == b"x"


@pytest.mark.parametrize(
    "params", [{"regions": "a"}, {"regionList": ""}, {"tag-key": "a"}, {"lifecycle": ""}]
)
def test_a_question_about_buckets_that_is_not_emulated_is_refused(
    oss: LocalOss, bucket: oss2.Bucket, params: dict[str, str]
) -> None:
    service = oss2.Service(oss2.AuthV4("key", "secret"), oss.url, region=REGION)

    assert code_of(lambda: service._do("GET", "", "", params=params))[0] == 501
    assert code_of(lambda: bucket._do("GET", "bucket", "", params=params))[0] == 501


@pytest.mark.parametrize(
    "name",
    [
        "cleanRestoredObject",
        "cloudboxes",
        "img",
        "legalHold",
        "resourcePoolInfo",
        "rtc",
        "udfName",
        "withHashContext",
        "x-oss-enable-md5",
    ],
)
def test_what_other_clients_sign_is_refused_by_name_and_not_for_its_signature(
    oss: LocalOss, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    signer = oss2.Auth("key", "secret")
    monkeypatch.setattr(signer, "_subresource_key_set", signer._subresource_key_set | {name})
    bucket = oss2.Bucket(signer, oss.url, "bucket", region=REGION)

    assert code_of(lambda: bucket._do("GET", "bucket", "k", params={name: "1"}))[0] == 501


def test_what_the_service_ignores_is_ignored(oss: LocalOss, bucket: oss2.Bucket) -> None:
    bucket.put_object("k", b"x", headers={"x-oss-nobody": "a", "x-oss-request-payer": "requester"})
    url = bucket_of(oss, version="v1").sign_url("GET", "k", 60)

    assert send(oss, "GET", f"{url}&utm_source=mail") == (200, b"x")


@pytest.mark.parametrize("storage_class", ["Archive", "ColdArchive", "DeepColdArchive"])
def test_an_archived_object_is_described_and_not_read(bucket: oss2.Bucket, storage_class: str) -> None:
    bucket.put_object("k", b"x", headers={"x-oss-storage-class": storage_class})

    assert bucket.head_object("k").headers["x-oss-storage-class"] == storage_class
    assert code_of(lambda: bucket.get_object("k")) == (403, "InvalidObjectState")
    assert code_of(lambda: bucket.copy_object("bucket", "k", "copy")) == (403, "InvalidObjectState")
    assert code_of(lambda: bucket.restore_object("k")) == (501, "NotImplemented")


def test_a_key_with_control_characters_goes_through_a_whole_upload(bucket: oss2.Bucket) -> None:
    upload = bucket._do("POST", "bucket", ODD_KEY, params={"uploads": "", "encoding-type": "url"})
    started = oss2.xml_utils.parse_init_multipart_upload(
        oss2.models.InitMultipartUploadResult(upload), upload.read()
    )
    part = bucket.upload_part(ODD_KEY, started.upload_id, 1, b"x")
    listed = [each.key for each in oss2.MultipartUploadIterator(bucket)]
    body = (
        f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{part.etag}</ETag></Part>"
        "</CompleteMultipartUpload>"
    )
    params = {"uploadId": started.upload_id, "encoding-type": "url"}
    completed = bucket._do("POST", "bucket", ODD_KEY, data=body, params=params).read().decode()

    assert listed == [ODD_KEY]
    assert f"<Key>{oss2.compat.urlquote(ODD_KEY, '')}</Key>" in completed
    assert bucket.get_object(ODD_KEY).read() == b"x"


@pytest.mark.parametrize("form", ["{}", "&#{};", "&#x{:x};", "&#x0{:X};"])
def test_a_key_with_control_characters_can_be_deleted_among_others(bucket: oss2.Bucket, form: str) -> None:
    codes = [code for code in range(1, 32) if form != "{}" or code not in (9, 10, 13)]
    key = "a" + "".join(map(chr, codes)) + "客.csv"
    for each in (key, "b&c", "kept"):
        bucket.put_object(each, b"x")
    written = "a" + "".join(chr(code) if form == "{}" else form.format(code) for code in codes) + "客.csv"
    document = f"<Delete><Object><Key>{written}</Key></Object><Object><Key>b&amp;c</Key></Object></Delete>"
    data = document.encode()
    md5 = base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()
    params = {"delete": "", "encoding-type": "url"}
    bucket._do("POST", "bucket", "", data=data, params=params, headers={"Content-MD5": md5})

    assert [each.key for each in oss2.ObjectIterator(bucket)] == ["kept"]


@pytest.mark.parametrize(
    "write",
    [
        lambda bucket, headers: bucket.put_object("k", b"x", headers=headers),
        lambda bucket, headers: bucket.put_object("k", iter([b"x"]), headers=headers),
        lambda bucket, headers: bucket.put_object("k", b"", headers=headers),
        lambda bucket, headers: bucket.append_object("k", 0, b"x", headers=headers),
        lambda bucket, headers: bucket.upload_part(
            "k", bucket.init_multipart_upload("k").upload_id, 1, b"x", headers=headers
        ),
        lambda bucket, headers: bucket._do(
            "PUT",
            "bucket",
            "there",
            data=b"<Tagging><TagSet/></Tagging>",
            params={"tagging": ""},
            headers=headers,
        ),
    ],
)
@pytest.mark.parametrize("md5", ["AAAAAAAAAAAAAAAAAAAAAA==", "no base64", "AAAA"])
def test_other_bytes_than_announced_are_refused_by_every_write(
    bucket: oss2.Bucket, write: Callable[[oss2.Bucket, dict[str, str]], object], md5: str
) -> None:
    bucket.put_object("there", b"x", headers={"x-oss-tagging": "a=b"})

    assert code_of(lambda: write(bucket, {"Content-MD5": md5})) == (400, "InvalidDigest")
    assert not bucket.object_exists("k")
    assert bucket.get_object_tagging("there").tag_set.tagging_rule == {"a": "b"}


def test_the_md5_of_an_object_is_told_where_there_is_one(bucket: oss2.Bucket) -> None:
    md5 = base64.b64encode(hashlib.md5(b"x", usedforsecurity=False).digest()).decode()
    upload = bucket.init_multipart_upload("multi").upload_id

    told = [
        bucket.put_object("k", b"x").headers,
        bucket.get_object("k").headers,
        bucket.head_object("k").headers,
        bucket.upload_part("multi", upload, 1, b"x").headers,
    ]
    bucket.complete_multipart_upload("multi", upload, bucket.list_parts("multi", upload).parts)
    bucket.append_object("log", 0, b"x")

    assert [headers.get("Content-MD5") for headers in told] == [md5] * 4
    assert "Content-MD5" not in bucket.head_object("multi").headers
    assert "Content-MD5" not in bucket.head_object("log").headers


def test_tags_are_put_read_and_deleted_and_are_no_new_object(
    bucket: oss2.Bucket, events: list[ObjectEvent]
) -> None:
    bucket.put_object("k", b"x")
    rule = TaggingRule()
    rule.add("+-.:", "_/ 客")
    bucket.put_object_tagging("k", Tagging(rule))

    tagged = bucket.get_object_tagging("k").tag_set.tagging_rule
    bucket.delete_object_tagging("k")

    assert tagged == {"+-.:": "_/ 客"}
    assert bucket.get_object_tagging("k").tag_set.tagging_rule == {}
    assert code_of(lambda: bucket.get_object_tagging("none")) == (404, "NoSuchKey")
    assert code_of(lambda: bucket.put_object_tagging("none", Tagging(rule))) == (404, "NoSuchKey")
    assert [event.event_name for event in events] == ["ObjectCreated:PutObject"]


def test_the_tags_of_a_bucket_are_kept_and_replaced_as_a_whole(bucket: oss2.Bucket) -> None:
    def told() -> dict[str, str]:
        return dict(bucket.get_bucket_tagging().tag_set.tagging_rule)

    def put(key: str, value: str) -> None:
        rule = oss2.models.TaggingRule()
        rule.add(key, value)
        bucket.put_bucket_tagging(oss2.models.Tagging(rule))

    assert told() == {}
    put("团队", "a b")
    assert told() == {"团队": "a b"}
    put("bailian-datahub-access", "read")
    assert told() == {"bailian-datahub-access": "read"}
    bucket.delete_bucket_tagging()
    assert told() == {}


def test_the_acl_of_an_object_is_kept_and_opens_it_to_nobody(oss: LocalOss, bucket: oss2.Bucket) -> None:
    bucket.put_object("k", b"x")
    acls = [bucket.get_object_acl("k").acl]
    for acl in ("private", "public-read", "default", "public-read-write"):
        bucket.put_object_acl("k", acl)
        acls.append(bucket.get_object_acl("k").acl)
    anonymous = oss2.Bucket(oss2.AnonymousAuth(), oss.url, "bucket")

    assert acls == ["default", "private", "public-read", "default", "public-read-write"]
    assert code_of(lambda: anonymous.get_object("k")) == (403, "AccessDenied")
    assert code_of(lambda: bucket.put_object_acl("k", "")) == (400, "InvalidArgument")


def test_a_symbolic_link_shows_its_target_under_its_own_name(
    bucket: oss2.Bucket, events: list[ObjectEvent]
) -> None:
    target, link = "in/客户 1+2%.csv", "link"
    bucket.put_object(target, b"0123456789", headers={"x-oss-meta-a": "target"})
    bucket.put_symlink(target, link, headers={"x-oss-meta-a": "link"})

    got, head = bucket.get_object(link, byte_range=(2, 4)), bucket.head_object(link)

    assert (got.read(), head.content_length, head.etag) == (b"234", 10, bucket.head_object(target).etag)
    assert (head.object_type, head.headers["x-oss-meta-a"]) == ("Symlink", "link")
    assert bucket.get_symlink(link).target_key == target
    assert [event.event_name for event in events] == ["ObjectCreated:PutObject", "ObjectCreated:PutSymlink"]


def test_a_symbolic_link_that_leads_nowhere_says_so(bucket: oss2.Bucket) -> None:
    bucket.put_symlink("none", "link")
    bucket.put_symlink("link", "chain")
    bucket.put_object("plain", b"x")

    assert code_of(lambda: bucket.get_object("link")) == (404, "SymlinkTargetNotExist")
    assert code_of(lambda: bucket.get_object("chain")) == (400, "InvalidTargetType")
    assert code_of(lambda: bucket.get_symlink("plain")) == (400, "NotSymlink")
    assert code_of(lambda: bucket.get_symlink("none")) == (404, "NoSuchKey")
    assert code_of(lambda: bucket.copy_object("bucket", "link", "copy")) == (501, "NotImplemented")
    assert code_of(lambda: bucket.put_symlink("", "link")) == (400, "InvalidObjectName")


def test_a_new_bucket_is_named_in_its_answer(oss: LocalOss) -> None:
    """Where Node's SDK looks for the name that it returns."""
    assert bucket_of(oss, "new").create_bucket().headers["Location"] == "/new"


def test_what_is_said_of_a_bucket_outlives_a_restart(tmp_path: Path, events: list[ObjectEvent]) -> None:
    config = oss2.models.BucketCreateConfig("IA", "ZRS")
    with start(tmp_path, events) as oss:
        bucket_of(oss, "cool").create_bucket("private", config)
        bucket_of(oss, "cool").put_bucket_acl("public-read")
        bucket_of(oss, "cool").put_object("k", b"0123456")

    with start(tmp_path, events) as oss:
        cool = bucket_of(oss, "cool")
        info, stat, head = cool.get_bucket_info(), cool.get_bucket_stat(), cool.head_object("k")
        acl, location = cool.get_bucket_acl().acl, cool.get_bucket_location().location
        cool.delete_object("k")
        cool.delete_bucket()
        cool.create_bucket()
        again = cool.get_bucket_info()

    assert (info.storage_class, info.data_redundancy_type, info.acl.grant, acl) == (
        "IA",
        "ZRS",
        "public-read",
        "public-read",
    )
    assert head.headers["x-oss-storage-class"] == "IA"
    assert (stat.object_count, stat.storage_size_in_bytes, stat.infrequent_access_storage) == (1, 7, 7)
    assert location == f"oss-{REGION}"
    assert (again.storage_class, again.acl.grant) == ("Standard", "private")


@pytest.mark.parametrize(
    ("headers", "config", "status"),
    [
        ({"x-oss-server-side-encryption": "AES256"}, None, 501),
        ({"x-oss-resource-group-id": "rg"}, None, 501),
        ({"x-oss-acl": "everybody"}, None, 400),
        ({}, oss2.models.BucketCreateConfig("Cheap"), 400),
        ({}, oss2.models.BucketCreateConfig("IA", "none"), 400),
    ],
)
def test_a_bucket_is_not_made_as_nobody_asked(
    oss: LocalOss, headers: dict[str, str], config: object, status: int
) -> None:
    new = bucket_of(oss, "new")

    assert code_of(lambda: new.create_bucket(None, config, headers))[0] == status
    assert oss.storage.buckets() == ["bucket"]


@pytest.mark.parametrize("max_uploads", [1, 2, 10])
def test_a_listing_of_uploads_folds_folders(bucket: oss2.Bucket, max_uploads: int) -> None:
    for key in ("a", "b/1", "b/2", "c", "d/1"):
        bucket.init_multipart_upload(key)

    listed = list(oss2.MultipartUploadIterator(bucket, delimiter="/", max_uploads=max_uploads))

    found = sorted((each.key, each.is_prefix()) for each in listed)
    assert found == [("a", False), ("b/", True), ("c", False), ("d/", True)]


def test_a_listing_without_an_encoding_writes_control_characters_as_references(bucket: oss2.Bucket) -> None:
    bucket.put_object("a\x01<b\x1f", b"")

    listed = bucket._do("GET", "bucket", "").read()

    assert b"<Key>a&#1;&lt;b&#31;</Key>" in listed
    with pytest.raises(oss2.exceptions.NoSuchKey) as missing:
        bucket.get_object("a\x01")
    assert missing.value.details["Key"] == "a?"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (("if-match", '"0"'), (412, "If-Match")),
        (("if-unmodified-since", "Sat, 01 Jan 2000 00:00:00 GMT"), (412, "If-Unmodified-Since")),
        (("if-none-match", "*"), (304, None)),
        (("if-modified-since", "Fri, 01 Jan 2100 00:00:00 GMT"), (304, None)),
    ],
)
@pytest.mark.parametrize("copies", [False, True])
def test_a_condition_that_does_not_hold_is_named_for_reads_and_copies(
    bucket: oss2.Bucket, said: tuple[str, str], told: tuple[int, str | None], copies: bool
) -> None:
    header, value = said
    bucket.put_object("k", b"x")

    with pytest.raises(oss2.exceptions.ServerError) as refused:
        if copies:
            bucket.copy_object("bucket", "k", "copy", headers={f"x-oss-copy-source-{header}": value})
        else:
            bucket.get_object("k", headers={header: value})

    assert (refused.value.status, refused.value.details.get("Condition")) == told
    assert not bucket.object_exists("copy")


def test_a_reader_of_a_log_is_told_where_to_append(bucket: oss2.Bucket) -> None:
    bucket.append_object("log", 0, b"123")
    bucket.put_object("k", b"123")

    assert bucket.head_object("log").headers["x-oss-next-append-position"] == "3"
    assert "x-oss-next-append-position" not in bucket.head_object("k").headers


@pytest.mark.parametrize(
    "said",
    [
        "attachment; filename=评价.csv",
        "attachment; filename=résumé.csv",
        "inline; filename=отчёт.csv",
        "attachment; filename=レビュー.csv",
        "attachment; filename=🙂.csv",
    ],
)
def test_a_signed_url_may_say_any_name_to_download_as(oss: LocalOss, bucket: oss2.Bucket, said: str) -> None:
    bucket.put_object("k", b"content")
    url = bucket.sign_url("GET", "k", 60, params={"response-content-disposition": said})

    answer = requests.get(url, timeout=PATIENCE_S)

    assert answer.content == b"content"
    assert answer.headers["Content-Disposition"].encode("latin-1").decode() == said


@pytest.mark.parametrize("name", ["content-type", "content-disposition", "expires"])
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", "\0", "\x7f"])
def test_a_signed_url_adds_no_header_of_its_own(bucket: oss2.Bucket, name: str, end: str) -> None:
    bucket.put_object("k", b"content")
    url = bucket.sign_url("GET", "k", 60, params={f"response-{name}": f"a{end}X-Added: 1"})

    answer = requests.get(url, timeout=PATIENCE_S)

    assert answer.status_code == 400
    assert "X-Added" not in answer.headers
    assert f"response-{name}" in answer.text


@pytest.mark.parametrize("position", ["9" * 5000, "²", "-1", "1.0", ""])
def test_no_number_to_append_at_is_too_odd_to_be_refused(bucket: oss2.Bucket, position: str) -> None:
    params = {"append": "", "position": position}

    assert code_of(lambda: bucket._do("POST", "bucket", "log", params=params)) == (400, "InvalidArgument")


@pytest.mark.parametrize("wanted", ["null", "CAEQ", "1", "a&amp;b", "客"])
def test_a_version_is_not_taken_for_the_object(bucket: oss2.Bucket, wanted: str) -> None:
    bucket.put_object("k", b"content")
    chosen = f"<Object><Key>k</Key><VersionId>{wanted}</VersionId></Object>"
    body = f"<Delete>{chosen}<Object><Key>other</Key></Object></Delete>".encode()
    copied = {"x-oss-copy-source": f"/bucket/k?versionId={quote(wanted)}"}

    refusals = [
        code_of(lambda: bucket._do("POST", "bucket", "", params={"delete": ""}, data=body)),
        code_of(lambda: bucket._do("PUT", "bucket", "copy", headers=copied)),
    ]

    assert refusals == [(501, "NotImplemented")] * 2
    assert bucket.get_object("k").read() == b"content"


@pytest.mark.parametrize(
    "sent", [b"zz\r\n", b"-5\r\nabcde\r\n", b"3\r\nabcd\r\n", b"0x3\r\n", b"F" * 13 + b"\r\n"]
)
def test_broken_chunks_are_refused_before_the_client_hangs_up(
    oss: LocalOss, bucket: oss2.Bucket, sent: bytes
) -> None:
    parts = urlsplit(bucket.sign_url("PUT", "k", 60))
    with socket.create_connection(("127.0.0.1", urlsplit(oss.url).port), timeout=PATIENCE_S) as client:
        head = f"PUT {parts.path}?{parts.query} HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n"
        client.sendall(head.encode() + sent)

        answer = client.recv(4096)

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert not bucket.object_exists("k")


def answer_to(oss: LocalOss, head: str) -> bytes:
    """To a request of nothing but these lines."""
    with socket.create_connection(("127.0.0.1", urlsplit(oss.url).port), timeout=PATIENCE_S) as client:
        client.sendall(f"{head}\r\n\r\n".encode())
        return b"".join(iter(lambda: client.recv(4096), b""))


@pytest.mark.parametrize("way", ["put", "part", "append"])
def test_an_upload_without_a_length_is_refused(oss: LocalOss, bucket: oss2.Bucket, way: str) -> None:
    method, params = "PUT", {}
    if way == "part":
        upload = bucket.init_multipart_upload("k").upload_id
        params = {"uploadId": upload, "partNumber": "1"}
    elif way == "append":
        method, params = "POST", {"append": "", "position": "0"}
    parts = urlsplit(bucket.sign_url(method, "k", 60, params=params))

    answer = answer_to(
        oss, f"{method} {parts.path}?{parts.query} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close"
    )

    assert answer.startswith(b"HTTP/1.1 411 ")
    assert b"<Code>MissingContentLength</Code>" in answer
    assert b"<EC>0017-00000101</EC>" in answer
    assert not bucket.object_exists("k")
    if way == "part":
        assert bucket.list_parts("k", upload).parts == []


@pytest.mark.parametrize("length", ["Content-Length: 0", "Transfer-Encoding: chunked\r\n\r\n0"])
def test_an_empty_upload_that_says_so_is_an_empty_object(
    oss: LocalOss, bucket: oss2.Bucket, length: str
) -> None:
    parts = urlsplit(bucket.sign_url("PUT", "k", 60))

    answer = answer_to(
        oss, f"PUT {parts.path}?{parts.query} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n{length}"
    )

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert bucket.get_object("k").read() == b""


def test_a_copy_and_a_link_need_no_length(oss: LocalOss, bucket: oss2.Bucket) -> None:
    bucket.put_object("k", b"content")
    copied = {"x-oss-copy-source": "/bucket/k"}
    parts = urlsplit(bucket.sign_url("PUT", "copy", 60, headers=copied, additional_headers=set(copied)))

    answer = answer_to(
        oss,
        f"PUT {parts.path}?{parts.query} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
        "x-oss-copy-source: /bucket/k",
    )

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert bucket.get_object("copy").read() == b"content"


@pytest.mark.parametrize(
    ("line", "status", "code"),
    [
        ("PATCH /bucket/k HTTP/1.1", 501, "NotImplemented"),
        ("PROPFIND / HTTP/1.1", 501, "NotImplemented"),
        (f"GET /{'k' * 70_000} HTTP/1.1", 414, "InvalidRequest"),
        ("GET /bucket/k HTTP/1.1 HTTP/1.1", 400, "InvalidRequest"),
        ("GET /bucket/k HTTP/one", 400, "InvalidRequest"),
    ],
)
def test_what_no_operation_is_reached_with_is_refused_in_xml(
    oss: LocalOss, line: str, status: int, code: str
) -> None:
    answer = answer_to(oss, f"{line}\r\nHost: 127.0.0.1")

    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"Content-Type: application/xml" in head
    assert b"x-oss-request-id: " in head
    assert f"<Code>{code}</Code>".encode() in body
