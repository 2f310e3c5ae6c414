"""COS's SDK, as any program uses it, against the local COS; and what the local COS refuses."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import http.client
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from qcloud_cos import CosConfig, CosS3Client, CosServiceError

from scripts.localcloud.cos.local_cos import LocalCos
from tests.support.local_stores import COS_BUCKET, CREDENTIALS, REGION, SECRET, TOKEN, TOKENS, cos_client
from tests.support.waiting import PATIENCE_S

PART = 1024 * 1024
HOST = f"{COS_BUCKET}.cos.{REGION}.myqcloud.com"
FORBID = {"Metadata": {"x-cos-forbid-overwrite": "true"}}


@pytest.fixture
def local(tmp_path: Path) -> Iterator[LocalCos]:
    with LocalCos(tmp_path, CREDENTIALS, REGION, security_tokens=TOKENS) as running:
        running.storage.create_bucket(COS_BUCKET)
        yield running


@pytest.fixture
def client(local: LocalCos) -> CosS3Client:
    return cos_client(local)


def refused(call: Any) -> tuple[int, str]:
    with pytest.raises(CosServiceError) as raised:
        call()
    return raised.value.get_status_code(), raised.value.get_error_code()


def presigned(method: str, key: str, **options: Any) -> str:
    """The path and the query of a URL that a program makes which knows nothing of this machine."""
    config = CosConfig(Region=REGION, SecretId="key", SecretKey=SECRET)
    params = {"x-cos-security-token": TOKEN}
    url = CosS3Client(config).get_presigned_url(COS_BUCKET, key, method, Params=params, **options)
    place = urlsplit(url)
    assert (place.scheme, place.netloc) == ("https", HOST)
    return f"{place.path}?{place.query}"


def send(local: LocalCos, method: str, target: str, **options: Any) -> requests.Response:
    headers = {"Host": HOST, **options.pop("headers", {})}
    return requests.request(method, f"{local.url}{target}", headers=headers, timeout=PATIENCE_S, **options)


def test_chinese_keys_and_metadata_come_back(client: CosS3Client) -> None:
    key = "收件箱/客户 名单+1%.csv"
    client.put_object(COS_BUCKET, "内容".encode(), key, Metadata={"x-cos-meta-from": "table"})

    assert client.get_object(COS_BUCKET, key)["Body"].get_raw_stream().read() == "内容".encode()
    assert client.head_object(COS_BUCKET, key)["x-cos-meta-from"] == "table"
    (listed,) = client.list_objects(COS_BUCKET, Prefix="收件箱/")["Contents"]
    assert (listed["Key"], listed["Size"]) == (key, "6")


def test_a_list_is_encoded_as_asked_and_holds_no_contents_where_nothing_is(
    local: LocalCos, client: CosS3Client
) -> None:
    client.put_object(COS_BUCKET, b"", "中 文+%.csv")

    encoded = client.list_objects(COS_BUCKET, EncodingType="url")
    plain = send(local, "GET", presigned("GET", "k").replace("/k?", "/?"))

    assert [each["Key"] for each in encoded["Contents"]] == ["%E4%B8%AD%20%E6%96%87%2B%25.csv"]
    assert "Contents" not in client.list_objects(COS_BUCKET, Prefix="none")
    assert plain.status_code == 403


def test_what_is_taken_is_refused_at_every_call_that_can_say_so(client: CosS3Client) -> None:
    upload_id = client.create_multipart_upload(COS_BUCKET, "k")["UploadId"]
    etag = client.upload_part(COS_BUCKET, "k", b"x", 1, upload_id)["ETag"]
    parts = {"Part": [{"PartNumber": 1, "ETag": etag}]}
    client.put_object(COS_BUCKET, b"first", "k")

    for call in (
        lambda: client.put_object(COS_BUCKET, b"second", "k", **FORBID),
        lambda: client.complete_multipart_upload(COS_BUCKET, "k", upload_id, parts, **FORBID),
    ):
        assert refused(call) == (409, "FileAlreadyExists")
    assert client.get_object(COS_BUCKET, "k")["Body"].read() == b"first"


@pytest.mark.parametrize("status", ["Enabled", "Suspended"])
def test_a_bucket_that_has_or_had_versions_ignores_that_a_key_is_not_to_be_overwritten(
    client: CosS3Client, status: str
) -> None:
    assert client.get_bucket_versioning(COS_BUCKET).get("Status") is None
    client.put_object(COS_BUCKET, b"first", "k", **FORBID)
    client.put_bucket_versioning(COS_BUCKET, status)

    answer = client.put_object(COS_BUCKET, b"second", "k", **FORBID)

    assert answer["x-cos-version-id"]
    assert client.get_bucket_versioning(COS_BUCKET) == {"Status": status}
    assert client.get_object(COS_BUCKET, "k")["Body"].read() == b"second"


def test_a_part_below_1_mib_is_refused_unless_it_is_the_last(client: CosS3Client) -> None:
    upload_id = client.create_multipart_upload(COS_BUCKET, "k")["UploadId"]

    def complete(*sizes: int) -> dict[str, str]:
        parts = [
            {
                "PartNumber": number,
                "ETag": client.upload_part(COS_BUCKET, "k", bytes(size), number, upload_id)["ETag"],
            }
            for number, size in enumerate(sizes, 1)
        ]
        return client.complete_multipart_upload(COS_BUCKET, "k", upload_id, {"Part": parts})

    assert refused(lambda: complete(PART - 1, 3)) == (400, "EntityTooSmall")
    done = complete(PART, 3)

    assert done["ETag"] == done["ETag"].lower()
    assert done["ETag"].endswith('-2"')
    assert client.head_object(COS_BUCKET, "k")["Content-Length"] == str(PART + 3)


def test_parts_are_copied_from_the_version_that_is_meant(client: CosS3Client) -> None:
    client.put_object(COS_BUCKET, bytes(PART) + b"rest", "来源 1+")
    etag = client.head_object(COS_BUCKET, "来源 1+")["ETag"]
    source = {"Bucket": COS_BUCKET, "Region": REGION, "Key": "来源 1+"}
    upload_id = client.create_multipart_upload(COS_BUCKET, "k")["UploadId"]

    def copy(number: int, span: str, etag: str) -> dict[str, Any]:
        answer = client.upload_part_copy(
            COS_BUCKET, "k", number, upload_id, source, span, CopySourceIfMatch=etag
        )
        return {"PartNumber": number, "ETag": answer["ETag"]}

    parts = [copy(1, f"bytes=0-{PART - 1}", etag), copy(2, f"bytes={PART}-{PART + 3}", etag)]
    stale = refused(lambda: copy(3, "bytes=0-1", f'"{"0" * 32}"'))
    client.complete_multipart_upload(COS_BUCKET, "k", upload_id, {"Part": parts})

    assert client.get_object(COS_BUCKET, "k", Range=f"bytes={PART - 1}-")["Body"].read() == b"\0rest"
    assert stale == (412, "PreconditionFailed")


def test_many_objects_are_deleted_at_once(client: CosS3Client) -> None:
    for key in ("a", "中"):
        client.put_object(COS_BUCKET, b"", key)

    client.delete_objects(COS_BUCKET, {"Object": [{"Key": "a"}, {"Key": "中"}], "Quiet": "false"})

    assert "Contents" not in client.list_objects(COS_BUCKET)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"SecretId": "stranger"}, "InvalidAccessKeyId"),
        ({"SecretKey": "wrong"}, "SignatureDoesNotMatch"),
        ({"Token": "stolen"}, "InvalidSecurityToken"),
        ({"Token": None}, "InvalidSecurityToken"),
        ({"Region": "ap-shanghai"}, "NoSuchBucket"),
    ],
    ids=str,
)
def test_a_wrong_key_secret_token_or_region_is_refused(
    local: LocalCos, change: dict[str, Any], code: str
) -> None:
    host, port = local.address.split(":")
    given = {"Region": REGION, "SecretId": "key", "SecretKey": SECRET, "Token": TOKEN, **change}
    stranger = CosS3Client(CosConfig(**given, Scheme="http", IP=host, Port=int(port)), retry=0)

    assert refused(lambda: stranger.put_object(COS_BUCKET, b"x", "k"))[1] == code


def test_a_presigned_url_opens_one_object_for_a_while(local: LocalCos, client: CosS3Client) -> None:
    client.put_object(COS_BUCKET, b"content", "中文.csv")
    signed = presigned("GET", "中文.csv", Expired=60)

    assert send(local, "GET", signed).content == b"content"
    for forged in (
        signed.replace("%E4%B8%AD", "%E5%85%B6"),
        signed.replace("q-sign-time=1", "q-sign-time=2"),
        signed.replace("q-signature=", "q-signature=0"),
        signed.partition("?")[0],
    ):
        assert send(local, "GET", forged).status_code == 403
    assert send(local, "PUT", signed, data=b"x").status_code == 403
    assert send(local, "GET", presigned("GET", "中文.csv", SignHost=False)).status_code == 403
    expired = send(local, "GET", presigned("GET", "中文.csv", Expired=-30))
    assert b"Request has expired" in expired.content


def test_nobody_adds_a_source_to_what_was_signed(local: LocalCos, client: CosS3Client) -> None:
    client.put_object(COS_BUCKET, b"content", "secret")
    signed = presigned("PUT", "k")

    answer = send(local, "PUT", signed, headers={"x-cos-copy-source": f"{HOST}/secret"})

    assert (answer.status_code, b"<Code>AccessDenied</Code>" in answer.content) == (403, True)
    assert refused(lambda: client.get_object(COS_BUCKET, "k")) == (404, "NoSuchKey")
    assert send(local, "PUT", signed, data=b"x").status_code == 200


def test_the_signature_is_the_documented_one(local: LocalCos, client: CosS3Client) -> None:
    client.put_object(COS_BUCKET, b"content", "k")
    span = f"{int(time.time()) - 60};{int(time.time() + PATIENCE_S)}"
    text = f"get\n/k\n\nhost={HOST}\n"
    key = hmac.new(SECRET.encode(), span.encode(), "sha1").hexdigest()
    to_sign = f"sha1\n{span}\n{hashlib.new('sha1', text.encode(), usedforsecurity=False).hexdigest()}\n"
    signature = hmac.new(key.encode(), to_sign.encode(), "sha1").hexdigest()
    authorization = (
        f"q-sign-algorithm=sha1&q-ak=key&q-sign-time={span}&q-key-time={span}"
        f"&q-header-list=host&q-url-param-list=&q-signature={signature}"
    )
    headers = {"Authorization": authorization, "x-cos-security-token": TOKEN}

    assert send(local, "GET", "/k", headers=headers).content == b"content"


def test_a_missing_object_is_a_404_without_a_document_to_head(local: LocalCos, client: CosS3Client) -> None:
    assert refused(lambda: client.head_object(COS_BUCKET, "nothing")) == (404, "NoSuchResource")
    assert refused(lambda: client.get_object(COS_BUCKET, "nothing")) == (404, "NoSuchKey")
    assert refused(lambda: client.head_object(f"no-{COS_BUCKET}", "k")) == (404, "NoSuchResource")


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.put_object_acl(COS_BUCKET, "k", ACL="public-read"),
        lambda client: client.put_object(COS_BUCKET, b"x", "k", IfNoneMatch="*"),
        lambda client: client.put_object(COS_BUCKET, b"x", "k", TrafficLimit="819200"),
        lambda client: client.put_object(COS_BUCKET, b"x", "k", StorageClass="ARCHIVE"),
        lambda client: client.get_bucket_lifecycle(COS_BUCKET),
        lambda client: client.list_objects_versions(COS_BUCKET),
        lambda client: client.list_multipart_uploads(COS_BUCKET),
    ],
)
def test_what_is_not_emulated_says_so(client: CosS3Client, call: Any) -> None:
    client.put_object(COS_BUCKET, b"x", "k")

    assert refused(lambda: call(client))[0] == 501


def test_a_key_of_more_than_850_bytes_is_refused(client: CosS3Client) -> None:
    client.put_object(COS_BUCKET, b"", "k" * 850)

    assert refused(lambda: client.put_object(COS_BUCKET, b"", "k" * 851)) == (400, "KeyTooLong")


@pytest.mark.parametrize(
    ("target", "host", "status"),
    [
        ("/k", "example.com", 403),
        ("/k", f"{HOST}.example.com", 403),
        ("http://example.com/k", HOST, 400),
        ("/k", "bucket.oss-cn-beijing.aliyuncs.com", 403),
    ],
)
def test_a_foreign_host_is_refused(local: LocalCos, target: str, host: str, status: int) -> None:
    with contextlib.closing(
        http.client.HTTPConnection(*local.address.split(":"), timeout=PATIENCE_S)
    ) as connection:
        connection.putrequest("GET", target, skip_host=True)
        connection.putheader("Host", host)
        connection.endheaders()

        assert connection.getresponse().status == status
