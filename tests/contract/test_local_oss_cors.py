"""CORS: a bucket's rules say which web pages may ask the local OSS; all others stay refused."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

import oss2
import pytest
import requests
from oss2.models import BucketCors, CorsRule

from scripts.localcloud.oss.local_oss import LocalOss
from shared.stores.oss.signed_access import OssSignedAccess
from shared.stores.oss.store import open_oss_bucket
from tests.support.waiting import PATIENCE_S

REGION = "cn-beijing"
PAGE = "http://127.0.0.1:4000"
REFUSED = "takes no requests from web pages"


@pytest.fixture(scope="module")
def oss(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalOss]:
    data_dir = tmp_path_factory.mktemp("oss")
    with LocalOss(data_dir, {"key": "secret"}, REGION, lambda _: None, scan_interval_s=3600) as running:
        running.storage.create_bucket("bucket")
        running.storage.create_bucket("other")
        yield running


@pytest.fixture
def bucket(oss: LocalOss) -> Iterator[oss2.Bucket]:
    opened = oss2.Bucket(oss2.AuthV4("key", "secret"), oss.url, "bucket", region=REGION)
    rules = [
        CorsRule(
            allowed_origins=[PAGE, "https://*.example.com"],
            allowed_methods=["POST", "GET"],
            allowed_headers=["x-oss-*"],
            expose_headers=["ETag", "x-oss-request-id"],
            max_age_seconds=60,
        ),
        CorsRule(allowed_origins=["https://reader.example.org"], allowed_methods=["GET"]),
    ]
    opened.put_bucket_cors(BucketCors(rules))
    yield opened
    opened.delete_bucket_cors()


def told(answer: requests.Response) -> dict[str, str]:
    prefix = "access-control-"
    found = {name.lower(): value for name, value in answer.headers.items()}
    return {name.removeprefix(prefix): value for name, value in found.items() if name.startswith(prefix)}


def preflight(oss: LocalOss, place: str = "/bucket/k", **asked: str) -> requests.Response:
    names = {
        "origin": "Origin",
        "method": "Access-Control-Request-Method",
        "headers": "Access-Control-Request-Headers",
    }
    return requests.options(
        oss.url + place, headers={names[n]: v for n, v in asked.items()}, timeout=PATIENCE_S
    )


def test_rules_are_kept_told_and_deleted(bucket: oss2.Bucket) -> None:
    first, second = bucket.get_bucket_cors().rules

    assert (first.allowed_origins, first.allowed_methods) == (
        [PAGE, "https://*.example.com"],
        ["POST", "GET"],
    )
    assert (first.allowed_headers, first.expose_headers) == (["x-oss-*"], ["ETag", "x-oss-request-id"])
    assert (first.max_age_seconds, second.allowed_methods) == (60, ["GET"])
    bucket.delete_bucket_cors()
    with pytest.raises(oss2.exceptions.NoSuchCors):
        bucket.get_bucket_cors()


@pytest.mark.parametrize(
    "wrong",
    [
        CorsRule(allowed_origins=["*"], allowed_methods=["PATCH"]),
        CorsRule(allowed_origins=["*"], allowed_methods=[]),
        CorsRule(allowed_origins=[], allowed_methods=["GET"]),
        CorsRule(allowed_origins=["https://*.*"], allowed_methods=["GET"]),
    ],
    ids=["method", "no method", "no origin", "two stars"],
)
def test_a_rule_that_is_none_is_refused_and_changes_nothing(bucket: oss2.Bucket, wrong: CorsRule) -> None:
    with pytest.raises(oss2.exceptions.ServerError) as refused:
        bucket.put_bucket_cors(BucketCors([wrong]))

    assert (refused.value.status, refused.value.code) == (400, "MalformedXML")
    assert len(bucket.get_bucket_cors().rules) == 2


@pytest.mark.usefixtures("bucket")
def test_a_preflight_is_answered_by_the_first_rule_that_allows_it(oss: LocalOss) -> None:
    answer = preflight(oss, origin=PAGE, method="POST", headers="X-Oss-Test, x-oss-two")

    assert (answer.status_code, answer.content) == (200, b"")
    assert told(answer) == {
        "allow-origin": PAGE,
        "allow-methods": "POST, GET",
        "allow-headers": "x-oss-test, x-oss-two",
        "expose-headers": "ETag, x-oss-request-id",
        "max-age": "60",
    }


@pytest.mark.usefixtures("bucket")
@pytest.mark.parametrize(
    ("asked", "place"),
    [
        ({"origin": "http://evil.example", "method": "POST"}, "/bucket/k"),
        ({"origin": "null", "method": "POST"}, "/bucket/k"),
        ({"origin": "https://example.com", "method": "POST"}, "/bucket/k"),
        ({"origin": "https://reader.example.org", "method": "POST"}, "/bucket/k"),
        ({"origin": PAGE, "method": "PUT"}, "/bucket/k"),
        ({"origin": PAGE}, "/bucket/k"),
        ({"origin": PAGE, "method": "POST", "headers": "authorization"}, "/bucket/k"),
        ({"origin": PAGE, "method": "POST"}, "/other/k"),
        ({"origin": PAGE, "method": "POST"}, "/no-such-bucket/k"),
        ({"origin": PAGE, "method": "POST"}, "/"),
    ],
    ids=str,
)
def test_a_page_that_no_rule_names_is_refused(oss: LocalOss, asked: dict[str, str], place: str) -> None:
    answer = preflight(oss, place, **asked)

    assert (answer.status_code, REFUSED in answer.text, told(answer)) == (403, True, {})


def test_a_preflight_without_a_page_is_refused_as_the_cloud_does(oss: LocalOss) -> None:
    answer = preflight(oss, method="POST")

    assert (answer.status_code, "<Code>AccessForbidden</Code>" in answer.text) == (403, True)


@pytest.mark.usefixtures("bucket")
@pytest.mark.parametrize("origin", [PAGE, "https://shop.example.com"])
def test_a_page_that_a_rule_names_uploads_by_a_signed_form_and_reads_the_answer(
    oss: LocalOss, origin: str
) -> None:
    bucket = open_oss_bucket(
        oss.url, REGION, "bucket", access_key_id="key", access_key_secret="secret", security_token=None
    )
    access = OssSignedAccess(bucket, REGION)
    now = datetime.now(timezone.utc)
    form = access.upload_form("inbox/a.csv", max_bytes=9, now=now, lifetime=timedelta(hours=1))
    parts = [*((name, (None, value)) for name, value in form.fields.items()), ("file", ("a.csv", b"1"))]

    answers = [
        requests.post(form.url, files=sent, headers={"Origin": origin}, timeout=PATIENCE_S)
        for sent in (parts, parts[:3])
    ]
    url = access.download_url("inbox/a.csv", file_name="a.csv", lifetime=timedelta(hours=1))
    read = requests.get(url, headers={"Origin": origin}, timeout=PATIENCE_S)

    assert [answer.status_code for answer in answers] == [204, 400]
    assert [told(answer)["allow-origin"] for answer in (*answers, read)] == [origin] * 3
    assert read.content == b"1"


@pytest.mark.usefixtures("bucket")
@pytest.mark.parametrize("origin", ["http://evil.example", "https://reader.example.org", "null"])
def test_a_page_that_no_rule_names_does_nothing_even_with_a_signed_url(
    oss: LocalOss, bucket: oss2.Bucket, origin: str
) -> None:
    url = bucket.sign_url("PUT", "forged", 60)

    answer = requests.put(url, data=b"x", headers={"Origin": origin}, timeout=PATIENCE_S)

    assert (answer.status_code, REFUSED in answer.text) == (403, True)
    assert not bucket.object_exists("forged")


def test_a_request_with_two_origins_is_nobodys(oss: LocalOss, bucket: oss2.Bucket) -> None:
    bucket.put_bucket_cors(BucketCors([CorsRule(allowed_origins=["*"], allowed_methods=["GET"])]))
    bucket.put_object("k", b"x")
    url = bucket.sign_url("GET", "k", 60)

    one = requests.get(url, headers={"Origin": "http://any.example"}, timeout=PATIENCE_S)
    host, _, target = url.removeprefix("http://").partition("/")
    connection = http.client.HTTPConnection(host, timeout=PATIENCE_S)
    connection.putrequest("GET", f"/{target}")
    connection.putheader("Origin", PAGE)
    connection.putheader("Origin", "http://evil.example")
    connection.endheaders()
    two = connection.getresponse().status
    connection.close()

    assert (one.status_code, told(one)["allow-origin"], two) == (200, "*", 403)
