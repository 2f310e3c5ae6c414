"""Forms that web pages post: signed by our own code, taken by the local OSS as the cloud does."""

from __future__ import annotations

import base64
import hmac
import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from urllib.parse import quote

import oss2
import pytest
import requests

from scripts.localcloud.oss.local_oss import LocalOss
from scripts.localcloud.storage.object_events import ObjectEvent
from shared.ports.signed_access import PostForm
from shared.stores.oss.signed_access import OssSignedAccess
from shared.stores.oss.store import open_oss_bucket
from tests.support.waiting import PATIENCE_S

REGION = "cn-beijing"
KEY = "inbox/评论/a b+c&d.csv"
HOUR = timedelta(hours=1)
NOW = datetime.now(timezone.utc)
V4 = [{"x-oss-signature-version": "OSS4-HMAC-SHA256"}]


@pytest.fixture(scope="module")
def events() -> list[ObjectEvent]:
    return []


@pytest.fixture(scope="module")
def oss(tmp_path_factory: pytest.TempPathFactory, events: list[ObjectEvent]) -> Iterator[LocalOss]:
    def may(access_key_id: str, action: str, _bucket: str, key: str, _delimiter: str) -> bool:
        return access_key_id != "narrow" or (action == "oss:PutObject" and key.startswith("inbox/"))

    keys = {"key": "secret", "narrow": "secret", "sts": "secret"}
    data_dir = tmp_path_factory.mktemp("oss")
    tokens = {"sts": "token"}
    with LocalOss(
        data_dir, keys, REGION, events.append, security_tokens=tokens, authorize=may, scan_interval_s=3600
    ) as running:
        running.storage.create_bucket("bucket")
        yield running


def access(oss: LocalOss, who: str = "key") -> OssSignedAccess:
    bucket = open_oss_bucket(
        oss.url,
        REGION,
        "bucket",
        access_key_id=who,
        access_key_secret="secret",
        security_token="token" if who == "sts" else None,
    )
    return OssSignedAccess(bucket, REGION)


def signed(oss: LocalOss, key: str = KEY, max_bytes: int = 100, who: str = "key") -> PostForm:
    return access(oss, who).upload_form(key, max_bytes=max_bytes, now=NOW, lifetime=HOUR)


def post(
    url: str, fields: dict[str, str], content: bytes = b"x,y\n1,2\n", name: str = "own.csv"
) -> requests.Response:
    parts = [*((field, (None, value)) for field, value in fields.items()), ("file", (name, content))]
    return requests.post(url, files=parts, timeout=PATIENCE_S)


def content_of(oss: LocalOss, key: str) -> bytes | None:
    bucket = oss2.Bucket(oss2.AuthV4("key", "secret"), oss.url, "bucket", region=REGION)
    return bucket.get_object(key).read() if bucket.object_exists(key) else None


def refusal(answer: requests.Response) -> tuple[int, str, str]:
    code, ec = (re.search(f"<{name}>(.*?)</{name}>", answer.text) for name in ("Code", "EC"))
    return answer.status_code, code[1] if code else "", ec[1] if ec else ""


def v1(policy: object, **fields: str) -> dict[str, str]:
    text = policy if isinstance(policy, str) else base64.b64encode(json.dumps(policy).encode()).decode()
    signature = base64.b64encode(hmac.digest(b"secret", text.encode(), "sha1")).decode()
    return {"key": "k", "OSSAccessKeyId": "key", "policy": text, "Signature": signature, **fields}


def policy(*conditions: object, lifetime: timedelta = HOUR) -> dict[str, object]:
    expires_at = datetime.now(timezone.utc) + lifetime
    return {"expiration": f"{expires_at:%Y-%m-%dT%H:%M:%S.000Z}", "conditions": list(conditions)}


@pytest.mark.parametrize("who", ["key", "narrow", "sts"])
def test_a_signed_form_uploads_exactly_its_object(oss: LocalOss, events: list[ObjectEvent], who: str) -> None:
    events.clear()
    form = signed(oss, who=who)

    answer = post(form.url, dict(form.fields), b"content of " + who.encode())

    assert (answer.status_code, answer.content) == (204, b"")
    assert content_of(oss, KEY) == b"content of " + who.encode()
    assert [(each.event_name, each.key) for each in events] == [("ObjectCreated:PostObject", KEY)]


def test_a_large_file_passes_whole_and_one_byte_more_does_not(oss: LocalOss) -> None:
    content = b"\r\n--no-boundary\r\n" * 100_000
    form = signed(oss, max_bytes=len(content))

    assert post(form.url, dict(form.fields), content).status_code == 204
    assert refusal(post(form.url, dict(form.fields), content + b"x"))[1] == "EntityTooLarge"
    assert content_of(oss, KEY) == content


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"key": "inbox/other.csv"}, "AccessDenied"),
        ({"key": KEY + "x"}, "AccessDenied"),
        ({"success_action_status": "201"}, "AccessDenied"),
        ({"x-oss-content-type": "text/html"}, "AccessDenied"),
        ({"x-oss-storage-class": "ColdArchive"}, "AccessDenied"),
        ({"x-oss-signature": "0" * 64}, "SignatureDoesNotMatch"),
        ({"x-oss-date": f"{NOW - timedelta(minutes=1):%Y%m%dT%H%M%SZ}"}, "AccessDenied"),
        ({"x-oss-date": "today"}, "AccessDenied"),
        ({"x-oss-credential": f"key/{NOW:%Y%m%d}/cn-hangzhou/oss/aliyun_v4_request"}, "InvalidArgument"),
        ({"x-oss-credential": f"other/{NOW:%Y%m%d}/{REGION}/oss/aliyun_v4_request"}, "InvalidAccessKeyId"),
        ({"x-oss-signature-version": "OSS2"}, "NotImplemented"),
        ({"x-oss-security-token": "foreign"}, "InvalidSecurityToken"),
        ({"callback": "e30="}, "NotImplemented"),
        ({"x-oss-meta-long": "x" * 9000}, "FieldItemTooLong"),
    ],
    # No values: some hold the time, and processes side by side must name their tests alike.
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else value,
)
def test_nothing_of_a_signed_form_can_be_changed(oss: LocalOss, changed: dict[str, str], code: str) -> None:
    form = signed(oss, "inbox/fixed.csv")
    fields = {**form.fields, "key": "inbox/fixed.csv", **changed}

    assert refusal(post(form.url, fields))[1] == code
    assert content_of(oss, "inbox/fixed.csv") is None
    assert content_of(oss, "inbox/other.csv") is None


@pytest.mark.parametrize(
    ("size_bytes", "bounds", "refused"),
    [
        (10, [0, 10], None),
        (11, [0, 10], (400, "EntityTooLarge", "0006-00000003")),
        (4, [5, 10], (400, "EntityTooSmall", "0006-00000004")),
        (0, [0, 0], None),
    ],
)
def test_a_file_has_as_many_bytes_as_its_policy_allows(
    oss: LocalOss, size_bytes: int, bounds: list[int], refused: tuple[int, str, str] | None
) -> None:
    fields = v1(policy(["content-length-range", *bounds]), key=f"sized/{size_bytes}-{bounds}")

    answer = post(f"{oss.url}/bucket", fields, b"x" * size_bytes)

    assert refusal(answer) == refused if refused else answer.status_code == 204
    assert (content_of(oss, fields["key"]) is None) == bool(refused)


@pytest.mark.parametrize(
    ("conditions", "fields", "is_allowed"),
    [
        ([{"bucket": "bucket"}, ["eq", "$key", "k"]], {}, True),
        ([{"bucket": "other"}], {}, False),
        ([["eq", "$Key", "other"]], {}, False),
        ([["starts-with", "$key", "user/"]], {"key": "user/${filename}"}, True),
        ([["starts-with", "$key", "user/"]], {"key": "${filename}"}, False),
        ([["in", "$content-type", ["text/csv"]]], {"Content-Type": "text/csv"}, True),
        ([["in", "$content-type", ["text/csv"]]], {"Content-Type": "text/html"}, False),
        ([["not-in", "$cache-control", ["no-cache"]]], {"Cache-Control": "no-cache"}, False),
        ([["eq", "success_action_status", "200"]], {}, False),
        ([["eq", "success_action_status", "200"]], {"success_action_status": "200"}, True),
    ],
    ids=str,
)
def test_every_condition_of_a_policy_must_hold(
    oss: LocalOss, conditions: list[object], fields: dict[str, str], is_allowed: bool
) -> None:
    answer = post(f"{oss.url}/bucket", v1(policy(*conditions), **fields))

    assert answer.status_code in (200, 204) if is_allowed else refusal(answer)[:2] == (403, "AccessDenied")
    assert is_allowed or "Invalid according to Policy: Policy Condition failed: [" in answer.text


@pytest.mark.parametrize(
    ("document", "ec"),
    [
        ("", "0006-00000205"),
        ("no base64!", "0006-00000201"),
        (base64.b64encode(b"[]").decode(), "0006-00000201"),
        ({"conditions": [{"key": "k"}]}, "0006-00000208"),
        ({"expiration": "2099-01-01T00:00:00.000Z"}, "0006-00000207"),
        ({}, "0006-00000209"),
        ({"expiration": "2099-01-01T00:00:00Z", "conditions": [{"key": "k"}], "test": 1}, "0006-00000206"),
        ({"expiration": 123, "conditions": [{"key": "k"}]}, "0006-00000210"),
        ({"expiration": "", "conditions": [{"key": "k"}]}, "0006-00000211"),
        ({"expiration": "2099-01-01 00:00:00", "conditions": [{"key": "k"}]}, "0006-00000212"),
        ({"expiration": "2099-13-01T00:00:00Z", "conditions": [{"key": "k"}]}, "0006-00000212"),
        (policy(), "0006-00000215"),
        (policy(["$key"]), "0006-00000216"),
        (policy(["starts-with", "$key", "a", "b"]), "0006-00000218"),
        (policy({"key": "k", "bucket": "bucket"}), "0006-00000218"),
        (policy(["content-length-range", 10, "test"]), "0006-00000221"),
        (policy(["content-length-range", 2, 1]), "0006-00000221"),
    ],
    ids=lambda value: value if str(value).startswith("0006-") else "document",
)
def test_a_policy_that_is_none_is_refused_with_its_own_ec(oss: LocalOss, document: object, ec: str) -> None:
    assert refusal(post(f"{oss.url}/bucket", v1(document))) == (400, "InvalidPolicyDocument", ec)


@pytest.mark.parametrize(
    ("without", "refused"),
    [
        (["OSSAccessKeyId", "policy", "Signature"], (403, "AccessDenied", "0003-00000001")),
        (["policy"], (400, "InvalidArgument", "0002-00000702")),
        (["Signature"], (400, "InvalidArgument", "0002-00000703")),
        (["OSSAccessKeyId"], (400, "InvalidArgument", "")),
        (["key"], (400, "InvalidArgument", "")),
    ],
    ids=str,
)
def test_a_form_without_a_field_that_it_needs_is_refused(
    oss: LocalOss, without: list[str], refused: tuple[int, str, str]
) -> None:
    fields = v1(policy({"bucket": "bucket"}))
    kept = {name: value for name, value in fields.items() if name not in without}

    assert refusal(post(f"{oss.url}/bucket", kept)) == refused


def test_a_form_is_good_until_its_policy_expires(oss: LocalOss) -> None:
    expired = policy({"bucket": "bucket"}, lifetime=-timedelta(seconds=2))

    answer = post(f"{oss.url}/bucket", v1(expired))

    assert refusal(answer) == (403, "AccessDenied", "0006-00000213")


@pytest.mark.parametrize("away", [timedelta(minutes=16), -timedelta(days=8)])
def test_a_form_that_was_signed_at_another_time_is_refused(oss: LocalOss, away: timedelta) -> None:
    signed_at = datetime.now(timezone.utc) + away
    form = access(oss).upload_form(KEY, max_bytes=9, now=signed_at, lifetime=timedelta(days=9))

    assert refusal(post(form.url, dict(form.fields)))[:2] == (403, "RequestTimeTooSkewed")


def test_a_v4_policy_must_be_about_its_own_signature(oss: LocalOss) -> None:
    form = signed(oss)
    text = base64.b64encode(json.dumps(policy({"bucket": "bucket"})).encode())
    key = b"aliyun_v4secret"
    for step in (f"{NOW:%Y%m%d}", REGION, "oss", "aliyun_v4_request"):
        key = hmac.digest(key, step.encode(), "sha256")
    own = {"policy": text.decode(), "x-oss-signature": hmac.digest(key, text, "sha256").hex()}

    assert refusal(post(form.url, {**form.fields, **own}))[1] == "InvalidPolicyDocument"


def test_a_key_signs_for_no_more_than_its_owner_may_do(oss: LocalOss) -> None:
    form = signed(oss, "results/forged.csv", who="narrow")

    assert refusal(post(form.url, dict(form.fields)))[1] == "AccessDenied"
    assert content_of(oss, "results/forged.csv") is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no form",
        b'--b\r\nContent-Disposition: form-data; name="key"\r\n\r\nk\r\n',
        b"--b\r\nContent-Type: text/plain\r\n\r\nk\r\n--b--\r\n",
        b"--b\r\n" + b"x" * 3_000_000,
        b'--b\r\nContent-Disposition: form-data; name="key"\r\n\r\n\xff\r\n--b--\r\n',
    ],
    ids=["empty", "other", "cut", "unnamed", "endless", "no UTF-8"],
)
def test_what_is_no_form_is_refused(oss: LocalOss, body: bytes) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=b"}

    answer = requests.post(f"{oss.url}/bucket", data=body, headers=headers, timeout=PATIENCE_S)

    assert refusal(answer) == (400, "MalformedPOSTRequest", "0006-00000104")


@pytest.mark.parametrize("end", ["", "\r\n--b\r\n"], ids=["in the file", "behind it"])
def test_a_form_that_breaks_off_leaves_nothing(oss: LocalOss, end: str) -> None:
    fields = v1(policy({"bucket": "bucket"}), key="torn")
    parts = [f'--b\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in fields.items()]
    file = '--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\nhalf' + end
    headers = {"Content-Type": "multipart/form-data; boundary=b"}

    answer = requests.post(
        f"{oss.url}/bucket", data="".join([*parts, file]), headers=headers, timeout=PATIENCE_S
    )

    assert refusal(answer)[:2] == (400, "MalformedPOSTRequest")
    assert content_of(oss, "torn") is None


def test_a_form_without_a_file_is_refused(oss: LocalOss) -> None:
    fields = [(name, (None, value)) for name, value in v1(policy({"bucket": "bucket"})).items()]

    answer = requests.post(f"{oss.url}/bucket", files=fields, timeout=PATIENCE_S)

    assert refusal(answer) == (400, "IncorrectNumberOfFilesInPOSTRequest", "0006-00000107")


def test_an_object_is_described_by_the_fields_as_by_headers(oss: LocalOss) -> None:
    own = {"x-oss-meta-who": "我", "Cache-Control": "no-cache", "x-oss-content-type": "text/csv"}
    fields = v1(policy({"bucket": "bucket"}), key="described/${filename}", success_action_status="201", **own)

    answer = post(f"{oss.url}/bucket", fields, name="/home/me/表 1.csv")

    bucket = oss2.Bucket(oss2.AuthV4("key", "secret"), oss.url, "bucket", region=REGION)
    head = bucket.head_object("described/表 1.csv").headers
    assert answer.status_code == 201
    assert "<PostResponse><Bucket>bucket</Bucket><Location>" in answer.text
    assert "<Key>described/表 1.csv</Key>" in answer.text
    assert head["Content-Type"] == "text/csv"
    assert head["Cache-Control"] == "no-cache"
    assert head["x-oss-meta-who"].encode("latin-1").decode() == "我"


def test_a_key_that_must_stay_is_not_overwritten(oss: LocalOss) -> None:
    fields = v1(policy({"bucket": "bucket"}), key="once", **{"x-oss-forbid-overwrite": "true"})

    answers = [post(f"{oss.url}/bucket", fields, content).status_code for content in (b"first", b"second")]

    assert answers == [204, 409]
    assert content_of(oss, "once") == b"first"


def test_a_browser_is_sent_on_with_what_was_made(oss: LocalOss) -> None:
    to = {"success_action_redirect": "http://localhost/done?a=1"}
    parts = [*((n, (None, v)) for n, v in v1(policy({"bucket": "bucket"}), **to).items()), ("file", b"x")]

    answer = requests.post(f"{oss.url}/bucket", files=parts, allow_redirects=False, timeout=PATIENCE_S)

    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("http://localhost/done?a=1&bucket=bucket&key=k&etag=%22")


def test_a_download_is_a_file_and_never_a_page(oss: LocalOss) -> None:
    form = signed(oss)
    post(form.url, dict(form.fields), b"<script>")

    url = access(oss).download_url(KEY, file_name="结果 “1”.csv", lifetime=HOUR)
    answer = requests.get(url, timeout=PATIENCE_S)

    assert answer.content == b"<script>"
    assert answer.headers["Content-Type"] == "application/octet-stream"
    named = quote("结果 “1”.csv", safe="")
    assert answer.headers["Content-Disposition"] == f"attachment; filename*=UTF-8''{named}"
