"""The tos SDK, as any program uses it, against the local TOS; and what the local TOS refuses."""

from __future__ import annotations

import contextlib
import http.client
import io
import math
import socket
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import tos
from tos import HttpMethodType
from tos.enum import MetadataDirectiveType, StorageClassType
from tos.exceptions import TosServerError

from scripts.localcloud.access.signing import scoped_signature
from scripts.localcloud.tos.local_tos import LocalTos
from scripts.localcloud.tos.oddities import Oddity
from tests.support.certificates import server_pem
from tests.support.local_stores import CREDENTIALS, REGION, SECRET, TOKEN, TOKENS, tos_client
from tests.support.waiting import PATIENCE_S, wait_until

PART = 5 * 1024 * 1024
HOST = "bucket.tos-cn-beijing.volces.com"


@pytest.fixture
def local(tmp_path: Path) -> Iterator[LocalTos]:
    with LocalTos(tmp_path, CREDENTIALS, REGION, security_tokens=TOKENS) as running:
        running.storage.create_bucket("bucket")
        yield running


@pytest.fixture
def client(local: LocalTos) -> tos.TosClientV2:
    return tos_client(local)


def refused(call: Any) -> TosServerError:
    with pytest.raises(TosServerError) as raised:
        call()
    return raised.value


def test_chinese_keys_and_metadata_come_back(client: tos.TosClientV2) -> None:
    key = "收件箱/客户 名单+1%.csv"
    client.put_object("bucket", key, content="内容", meta={"来源": "表格"})

    assert client.get_object("bucket", key).read() == "内容".encode()
    assert client.head_object("bucket", key).meta == {"来源": "表格"}
    listed = client.list_objects_type2("bucket", "收件箱/", list_only_once=True).contents
    assert [(each.key, each.size) for each in listed] == [(key, 6)]


def test_a_program_may_send_a_stream_in_chunks(client: tos.TosClientV2) -> None:
    client.put_object("bucket", "k", content=(b"x" * 1000 for _ in range(1000)))

    assert client.get_object("bucket", "k").read() == b"x" * 1_000_000


def test_parts_are_joined_by_their_numbers_however_they_are_named(client: tos.TosClientV2) -> None:
    upload_id = client.create_multipart_upload("bucket", "k").upload_id
    pieces = {number: bytes([number]) * PART for number in (1, 2, 3)}
    parts = [
        client.upload_part("bucket", "k", upload_id, number, content=piece)
        for number, piece in reversed(pieces.items())
    ]

    done = client.complete_multipart_upload("bucket", "k", upload_id, parts)

    assert client.get_object("bucket", "k").read() == b"".join(pieces.values())
    assert done.etag.endswith("-3")
    assert done.etag == done.etag.lower()


def test_a_part_below_5_mib_is_refused_unless_it_is_the_last(client: tos.TosClientV2) -> None:
    upload_id = client.create_multipart_upload("bucket", "k").upload_id
    parts = [
        client.upload_part("bucket", "k", upload_id, number, content=bytes(size))
        for number, size in ((1, PART - 1), (2, 3))
    ]

    error = refused(lambda: client.complete_multipart_upload("bucket", "k", upload_id, parts))

    assert (error.status_code, error.code) == (400, "EntityTooSmall")


def test_parts_are_copied_from_the_version_that_is_meant(client: tos.TosClientV2) -> None:
    client.put_object("bucket", "来源", content=bytes(PART) + b"rest")
    etag = client.head_object("bucket", "来源").etag
    upload_id = client.create_multipart_upload("bucket", "k").upload_id

    def copy(number: int, **options: Any) -> Any:
        return client.upload_part_copy("bucket", "k", upload_id, number, "bucket", "来源", **options)

    parts = [
        copy(1, copy_source_range_start=0, copy_source_range_end=PART - 1, copy_source_if_match=etag),
        copy(2, copy_source_range_start=PART, copy_source_range_end=PART + 3),
    ]
    stale = refused(lambda: copy(3, copy_source_if_match="0" * 32))
    client.complete_multipart_upload("bucket", "k", upload_id, parts)

    assert client.get_object("bucket", "k").read() == bytes(PART) + b"rest"
    assert stale.status_code == 412


def test_an_etag_must_be_named_by_letter(client: tos.TosClientV2) -> None:
    etag = client.put_object("bucket", "k", content=b"hello").etag

    assert etag == "5d41402abc4b2a76b9719d911017c592"
    assert client.get_object("bucket", "k", if_match=etag).read() == b"hello"
    assert refused(lambda: client.get_object("bucket", "k", if_match=etag.upper())).status_code == 412


def test_what_is_taken_is_refused_with_its_ec_at_every_call_that_can_say_so(client: tos.TosClientV2) -> None:
    upload_id = client.create_multipart_upload("bucket", "k").upload_id
    part = client.upload_part("bucket", "k", upload_id, 1, content=b"x")
    client.put_object("bucket", "k", content=b"first")

    for call in (
        lambda: client.put_object("bucket", "k", content=b"second", forbid_overwrite=True),
        lambda: client.create_multipart_upload("bucket", "k", forbid_overwrite=True),
        lambda: client.complete_multipart_upload("bucket", "k", upload_id, [part], forbid_overwrite=True),
    ):
        error = refused(call)
        assert (error.status_code, error.ec) == (409, "0017-00000004")
    assert client.get_object("bucket", "k").read() == b"first"


@pytest.mark.parametrize(
    "header",
    [{"x-tos-forbid-overwrite": "True"}, {"X-TOS-Forbid-Overwrite": "true"}, {"If-None-Match": "*"}],
    ids=str,
)
def test_either_header_forbids_to_overwrite_in_any_case(
    local: LocalTos, client: tos.TosClientV2, header: dict[str, str]
) -> None:
    url = client.pre_signed_url(HttpMethodType.Http_Method_Put, "bucket", "k").signed_url

    def put() -> int:
        return requests.put(
            url, b"x", headers=header, proxies={"http": local.url}, timeout=PATIENCE_S
        ).status_code

    assert [put(), put()] == [200, 409]


def test_with_a_switch_one_of_many_writers_wins_and_some_are_aborted(
    local: LocalTos, client: tos.TosClientV2
) -> None:
    local.oddities.add(Oddity.OPERATION_ABORTED)
    go_on, arriving = threading.Event(), local.storage.layout.temporary_dir

    def slow() -> Iterator[bytes]:
        yield b"first"
        go_on.wait(PATIENCE_S)
        yield b" writer"

    with ThreadPoolExecutor(1) as thread:
        first = thread.submit(client.put_object, "bucket", "k", content=slow(), forbid_overwrite=True)
        wait_until(lambda: list(arriving.iterdir()), "the first writer to begin")
        error = refused(lambda: client.put_object("bucket", "k", content=b"second", forbid_overwrite=True))
        go_on.set()
        first.result()

    assert (error.status_code, error.code, error.ec) == (409, "OperationAborted", "")
    assert client.get_object("bucket", "k").read() == b"first writer"
    assert refused(lambda: client.put_object("bucket", "k", content=b"3", forbid_overwrite=True)).ec


def test_a_presigned_url_opens_one_object_for_a_while(local: LocalTos, client: tos.TosClientV2) -> None:
    client.put_object("bucket", "中文.csv", content=b"content")
    signed = client.pre_signed_url(HttpMethodType.Http_Method_Get, "bucket", "中文.csv", 60).signed_url

    def get(url: str) -> tuple[int, bytes]:
        answer = requests.get(url, proxies={"http": local.url}, timeout=PATIENCE_S)
        return answer.status_code, answer.content

    assert get(signed) == (200, b"content")
    for forged in (
        signed.replace("%E4%B8%AD", "%E5%85%B6"),
        signed.replace("X-Tos-Expires=60", "X-Tos-Expires=90"),
        signed.replace("X-Tos-Signature=", "X-Tos-Signature=0"),
        signed.partition("?")[0],
    ):
        assert get(forged)[0] == 403
    assert get(signed.replace("X-Tos-Date=2", "X-Tos-Date=1"))[0] == 403


def test_nobody_adds_a_source_to_what_was_signed(local: LocalTos, client: tos.TosClientV2) -> None:
    client.put_object("bucket", "secret", content=b"content")
    signed = client.pre_signed_url(HttpMethodType.Http_Method_Put, "bucket", "k", 60).signed_url

    def put(**more: Any) -> requests.Response:
        return requests.put(signed, proxies={"http": local.url}, timeout=PATIENCE_S, **more)

    answer = put(headers={"x-tos-copy-source": "/bucket/secret"})

    assert (answer.status_code, answer.json()["Code"]) == (403, "AccessDenied")
    assert refused(lambda: client.get_object("bucket", "k")).code == "NoSuchKey"
    assert put(data=b"x").status_code == 200


def test_a_signature_is_for_one_host(local: LocalTos, client: tos.TosClientV2) -> None:
    local.storage.create_bucket("other")
    client.put_object("bucket", "k", content=b"content")
    client.put_object("other", "k", content=b"secret")
    date = f"{datetime.now(timezone.utc):%Y%m%dT%H%M%SZ}"
    scope = f"{date[:8]}/{REGION}/tos/request"
    canonical = f"GET\n/k\n\nx-tos-date:{date}\n\nx-tos-date\nUNSIGNED-PAYLOAD"
    signature = scoped_signature(canonical.encode(), SECRET, "TOS4-HMAC-SHA256", date, scope)
    authorization = f"TOS4-HMAC-SHA256 Credential=key/{scope},SignedHeaders=x-tos-date,Signature={signature}"
    headers = {"x-tos-date": date, "x-tos-security-token": TOKEN, "Authorization": authorization}

    answer = requests.get(
        f"http://{HOST}/k", headers=headers, proxies={"http": local.url}, timeout=PATIENCE_S
    )

    assert (answer.status_code, answer.json()["Code"]) == (403, "AccessDenied")


@pytest.mark.parametrize("change", [{"ak": "stranger"}, {"sk": "wrong"}, {"security_token": "stolen"}])
def test_a_wrong_key_secret_or_token_is_refused(local: LocalTos, change: dict[str, str]) -> None:
    given = {"ak": "key", "sk": SECRET, "security_token": TOKEN, **change}
    host, port = local.proxy.split(":")
    stranger = tos.TosClientV2(
        **given,
        endpoint=f"http://{local.endpoint}",
        region=REGION,
        proxy_host=host,
        proxy_port=int(port),
        dns_cache_time=0,
        max_retry_count=0,
    )

    assert refused(lambda: stranger.put_object("bucket", "k", content=b"x")).status_code == 403


def test_a_signed_hash_is_compared_with_what_came(client: tos.TosClientV2) -> None:
    digest = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

    client.put_object("bucket", "k", content=b"hello", content_sha256=digest)
    error = refused(lambda: client.put_object("bucket", "k", content=b"other", content_sha256=digest))

    assert error.status_code == 400
    assert client.get_object("bucket", "k").read() == b"hello"


def test_versioning_is_told_as_it_was_set(client: tos.TosClientV2) -> None:
    before = client.get_bucket_version("bucket").status
    assert client.put_object("bucket", "k", content=b"x").version_id is None

    client.put_bucket_versioning("bucket", tos.VersioningStatusType.Versioning_Status_Enabled)

    assert before is None
    assert client.get_bucket_version("bucket").status.value == "Enabled"
    assert client.put_object("bucket", "k", content=b"x").version_id


def test_a_missing_object_is_an_empty_404_to_head_and_a_document_to_get(client: tos.TosClientV2) -> None:
    head = refused(lambda: client.head_object("bucket", "nothing"))
    get = refused(lambda: client.get_object("bucket", "nothing"))

    assert (head.status_code, head.code) == (404, "")
    assert (get.status_code, get.code) == (404, "NoSuchKey")


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.put_object_acl("bucket", "k", acl=tos.ACLType.ACL_Public_Read),
        lambda client: client.append_object("bucket", "k", 0, content=b"x"),
        lambda client: client.put_object("bucket", "k", content=b"x", traffic_limit=819200),
        lambda client: client.get_bucket_lifecycle("bucket"),
        lambda client: client.list_object_versions("bucket"),
        lambda client: client.get_object("bucket", "k", process="image/info"),
        lambda client: client.create_bucket("other", storage_class=StorageClassType.Storage_Class_Ia),
        lambda client: client.put_object(
            "bucket", "new", storage_class=StorageClassType.Storage_Class_Archive
        ),
        lambda client: client.create_multipart_upload(
            "bucket", "new", storage_class=StorageClassType.Storage_Class_Cold_Archive
        ),
    ],
)
def test_what_is_not_emulated_says_so(client: tos.TosClientV2, call: Any) -> None:
    client.put_object("bucket", "k", content=b"x")

    assert refused(lambda: call(client)).status_code == 501


@pytest.mark.parametrize("directive", list(MetadataDirectiveType)[1:])
def test_a_storage_class_is_told_and_not_copied(
    client: tos.TosClientV2, directive: MetadataDirectiveType
) -> None:
    ia = StorageClassType.Storage_Class_Ia
    client.put_object("bucket", "k", content=b"x", storage_class=ia)
    client.copy_object("bucket", "plain", "bucket", "k", metadata_directive=directive)
    client.copy_object("bucket", "rare", "bucket", "k", metadata_directive=directive, storage_class=ia)
    client.create_multipart_upload("bucket", "parts", storage_class=ia)

    listed = client.list_objects_type2("bucket", list_only_once=True).contents
    (upload,) = client.list_multipart_uploads("bucket").uploads

    standard = StorageClassType.Storage_Class_Standard
    assert {each.key: each.storage_class for each in listed} == {"k": ia, "plain": standard, "rare": ia}
    assert upload.storage_class == ia
    assert client.head_object("bucket", "rare").storage_class == ia


@pytest.mark.parametrize("name", ["x-tos-forbid-overwrite", "x-tos-metadata-directive"])
def test_a_value_without_sense_is_refused(local: LocalTos, client: tos.TosClientV2, name: str) -> None:
    client.put_object("bucket", "k", content=b"x")
    headers = {name: "1", "x-tos-copy-source": "bucket/k"}
    url = client.pre_signed_url(HttpMethodType.Http_Method_Put, "bucket", "k", header=headers).signed_url

    answer = requests.put(url, headers=headers, proxies={"http": local.url}, timeout=PATIENCE_S)

    assert (answer.status_code, answer.json()["Code"]) == (400, "InvalidArgument")


def raw(local: LocalTos, target: str, host: str, method: str = "GET") -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(*local.proxy.split(":"), timeout=PATIENCE_S)
    connection.putrequest(method, target, skip_host=True)
    connection.putheader("Host", host)
    connection.endheaders()
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer


@pytest.mark.parametrize("key", ["/", "//", "/+", "//a/b.csv", "/客户"])
def test_a_key_keeps_its_first_slashes(local: LocalTos, client: tos.TosClientV2, key: str) -> None:
    url = urlsplit(client.pre_signed_url(HttpMethodType.Http_Method_Put, "bucket", key).signed_url)

    with contextlib.closing(
        http.client.HTTPConnection(*local.proxy.split(":"), timeout=PATIENCE_S)
    ) as connection:
        connection.request("PUT", f"{url.path}?{url.query}", b"x", {"Host": HOST})
        assert connection.getresponse().status == 200

    listed = client.list_objects_type2("bucket", list_only_once=True).contents
    assert [each.key for each in listed] == [key]


@pytest.mark.parametrize(
    ("target", "host", "status"),
    [
        ("http://example.com/k", "example.com", 403),
        ("http://example.com/k", HOST, 400),
        (f"http://{HOST}@example.com/k", HOST, 400),
        ("/k", "example.com", 403),
        ("/k", f"{HOST}.example.com", 403),
        ("/k", "bucket.tos-cn-shanghai.volces.com", 403),
        ("http://bucket.oss-cn-beijing.aliyuncs.com/k", "bucket.oss-cn-beijing.aliyuncs.com", 403),
    ],
)
def test_a_foreign_host_is_refused(local: LocalTos, target: str, host: str, status: int) -> None:
    assert raw(local, target, host).status == status


def test_a_web_page_is_refused_and_nothing_is_passed_on(local: LocalTos) -> None:
    answer = requests.get(
        f"{local.url}/k", headers={"Host": HOST, "Origin": "https://a.example"}, timeout=PATIENCE_S
    )
    assert answer.status_code == 403
    assert raw(local, "example.com:443", "example.com:443", "CONNECT").status in {403, 501}


def test_an_unmodified_program_comes_by_tls_under_the_clouds_own_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pem = tmp_path / "tos.pem"
    pem.write_bytes(server_pem(HOST))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pem)
    with LocalTos(tmp_path / "data", CREDENTIALS, REGION, tls=tls, tls_port=0) as local:
        local.storage.create_bucket("bucket")
        _, door = local.servers
        look_up = socket.getaddrinfo

        def at_home(host: str, port: object, *further: Any, **named: Any) -> Any:
            if host == HOST:
                return look_up("127.0.0.1", door.server_port, *further, **named)
            return look_up(host, port, *further, **named)

        monkeypatch.setattr(socket, "getaddrinfo", at_home)
        program = tos.TosClientV2(
            "key", SECRET, "tos-cn-beijing.volces.com", REGION, dns_cache_time=0, ca_crt=str(pem)
        )
        content = bytes(3 * PART)
        program.put_object("bucket", "中文", content=io.BytesIO(content))

        assert program.get_object("bucket", "中文").read() == content
        assert not program.get_bucket_version("bucket").status


def test_half_of_a_surrogate_pair_names_no_object(client: tos.TosClientV2) -> None:
    keys = [tos.models2.ObjectTobeDeleted("\ud800")]

    assert refused(lambda: client.delete_multi_objects("bucket", keys)).code == "MalformedBody"


def test_a_complete_without_sense_is_malformed(client: tos.TosClientV2) -> None:
    upload_id = client.create_multipart_upload("bucket", "k").upload_id

    def complete(**part: object) -> TosServerError:
        parts = [SimpleNamespace(**part)]
        return refused(lambda: client.complete_multipart_upload("bucket", "k", upload_id, parts))

    assert complete(part_number="first", etag="0" * 32).code == "MalformedBody"
    assert complete(part_number=1, etag="no hex").code == "MalformedBody"
    assert complete(part_number=math.inf, etag="0" * 32).code == "MalformedBody"
    assert complete(part_number=1, etag="0" * 32).code == "InvalidPart"


def test_a_method_that_no_operation_has_is_refused_in_json(local: LocalTos) -> None:
    answer = raw(local, "/k", HOST, "OPTIONS")

    assert answer.status == 501
    assert answer.headers["Content-Type"].startswith("application/json")
