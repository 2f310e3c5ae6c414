"""A chunked body that breaks off, or is none, is refused in the service's own words."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from qcloud_cos import CosConfig, CosS3Client
from tos import HttpMethodType

from scripts.localcloud.bailian.local_bailian import LocalBailian
from scripts.localcloud.cos.local_cos import LocalCos
from scripts.localcloud.oss.local_oss import LocalOss
from scripts.localcloud.tos.local_tos import LocalTos
from tests.support.ark import local_ark
from tests.support.bailian_wire import KEY
from tests.support.local_stores import COS_BUCKET, CREDENTIALS, REGION, TOKENS, oss_bucket, tos_client
from tests.support.local_tione import local_tione
from tests.support.waiting import PATIENCE_S

BROKEN = [b"zz\r\n", b"-1\r\n", b"", b"5\r\nab", b"2\r\nabX\r\n", b"2\r\nab\r\n", b"\xff\r\n"]


def answer(
    url: str, method: str, path: str, body: bytes, **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """What a server says to a body in chunks, after which the caller sends nothing more."""
    address = urlsplit(url)
    lines = {"Host": address.netloc, "Transfer-Encoding": "chunked", **headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    with socket.create_connection(
        (address.hostname or "", address.port or 0), timeout=PATIENCE_S
    ) as connection:
        connection.sendall(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body)
        connection.shutdown(socket.SHUT_WR)
        said = b"".join(iter(lambda: connection.recv(65536), b""))
    told, _, content = said.partition(b"\r\n\r\n")
    first, *rest = told.decode().split("\r\n")
    named = dict(line.lower().split(": ", 1) for line in rest)
    return int(first.split()[1]), named, content


@pytest.mark.parametrize("body", BROKEN)
def test_ark_refuses_it(tmp_path: Path, body: bytes) -> None:
    with local_ark(tmp_path) as on:
        path = "/?Action=CreateBatchInferenceJob&Version=2024-01-01"
        status, headers, content = answer(on.ark.url, "POST", path, body)

    assert (status, headers["content-type"]) == (400, "application/json")
    metadata = json.loads(content)["ResponseMetadata"]
    assert metadata["Action"] == "CreateBatchInferenceJob"
    assert metadata["Error"]["Code"] == "InvalidRequest"


@pytest.mark.parametrize("body", BROKEN[:3])
def test_tione_refuses_it(tmp_path: Path, body: bytes) -> None:
    with local_tione(tmp_path) as on:
        status, headers, content = answer(on.tione.url, "POST", "/", body)

    assert (status, headers["content-type"]) == (200, "application/json")
    assert json.loads(content)["Response"]["Error"]["Code"] == "InvalidRequest"


@pytest.mark.parametrize("body", BROKEN)
@pytest.mark.parametrize(
    ("path", "kind"),
    [("/batches", "application/json"), ("/files", "multipart/form-data; boundary=x")],
)
def test_bailian_refuses_it(tmp_path: Path, path: str, kind: str, body: bytes) -> None:
    with LocalBailian(tmp_path, KEY) as local:
        whole = urlsplit(local.base_url).path + path
        headers = {"Authorization": f"Bearer {KEY}", "Content-Type": kind}
        status, told, content = answer(local.base_url, "POST", whole, body, **headers)

    assert (status, told["content-type"]) == (400, "application/json")
    assert json.loads(content)["error"]["message"]


@pytest.mark.parametrize("body", BROKEN)
def test_oss_refuses_it(tmp_path: Path, body: bytes) -> None:
    with LocalOss(tmp_path, CREDENTIALS, REGION, lambda _: None, security_tokens=TOKENS) as local:
        local.storage.create_bucket("bucket")
        place = urlsplit(oss_bucket(local).sign_url("PUT", "k", 60))
        status, _, content = answer(local.url, "PUT", f"{place.path}?{place.query}", body, Host=place.netloc)

    assert status == 400
    assert b"<Code>IncompleteBody</Code>" in content


@pytest.mark.parametrize("body", BROKEN)
def test_tos_refuses_it(tmp_path: Path, body: bytes) -> None:
    with LocalTos(tmp_path, CREDENTIALS, REGION, security_tokens=TOKENS) as local:
        local.storage.create_bucket("bucket")
        signed = tos_client(local).pre_signed_url(HttpMethodType.Http_Method_Put, "bucket", "k").signed_url
        status, _, content = answer(local.url, "PUT", signed, body, Host=urlsplit(signed).netloc)

    assert (status, json.loads(content)["Code"]) == (400, "IncompleteBody")


@pytest.mark.parametrize("body", BROKEN)
def test_cos_refuses_it(tmp_path: Path, body: bytes) -> None:
    config = CosConfig(Region=REGION, SecretId="key", SecretKey=CREDENTIALS["key"])
    signed = urlsplit(CosS3Client(config).get_presigned_url(COS_BUCKET, "k", "PUT"))
    with LocalCos(tmp_path, CREDENTIALS, REGION) as local:
        local.storage.create_bucket(COS_BUCKET)
        target = f"{signed.path}?{signed.query}"
        status, _, content = answer(local.url, "PUT", target, body, Host=signed.netloc)

    assert status == 400
    assert b"<Code>IncompleteBody</Code>" in content


@pytest.mark.parametrize(("method", "path", "status"), [("POST", "/elsewhere", 404), ("PUT", "/", 405)])
def test_ark_refuses_other_doors_in_its_own_words(
    tmp_path: Path, method: str, path: str, status: int
) -> None:
    with local_ark(tmp_path) as on:
        said, headers, content = answer(on.ark.url, method, path, b"0\r\n\r\n")

    assert (said, headers["content-type"]) == (status, "application/json")
    assert json.loads(content)["ResponseMetadata"]["Error"]["Code"] == "InvalidActionOrVersion"
