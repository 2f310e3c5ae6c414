"""The signature vectors that oss2 itself produced, and the ways a signature can be wrong."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from scripts.localcloud.oss.auth import canonical
from scripts.localcloud.oss.auth.signed_requests import Signatures
from scripts.localcloud.oss.wire.oss_request import OssRequest, parse_request
from scripts.localcloud.storage.refusals import Refusal

NOW = datetime(2026, 11, 21, 9, 23, 24, tzinfo=timezone.utc)
V1_AUTHORIZATION = "OSS LTAItest:LQw93Zty8iIrixq965wg3iaOGCM="
V4_CREDENTIAL = "LTAItest/20261121/cn-beijing/oss/aliyun_v4_request"
V4_SIGNATURE = "4903c5a3b3742d733ed7551a7acbb8038910a822247d07ea8fa507445a062b52"
V4_URL = (
    "/my-bucket/in%2Fa.csv?x-oss-date=20261121T092324Z&x-oss-expires=3600"
    "&x-oss-signature-version=OSS4-HMAC-SHA256"
    "&x-oss-credential=LTAItest%2F20261121%2Fcn-beijing%2Foss%2Faliyun_v4_request"
    "&x-oss-signature=09d180b5d304c371fb9cdd74b2ce2feca6a8503e372407e5019963bdba422809"
)
V1_URL = (
    "/my-bucket/in%2Fa.csv?OSSAccessKeyId=LTAItest&Expires=1795256603"
    "&Signature=Z5enMAX3b7%2B8oANESW5kiGFrGws%3D"
)


def signatures(now: datetime = NOW) -> Signatures:
    secrets = {"LTAItest": "secret", "STS.mine": "secret", "STS.other": "secret"}
    tokens = {"STS.mine": "my-token", "STS.other": "other-token"}
    return Signatures(secrets, "cn-beijing", lambda: now, tokens)


def v1_put(authorization: str = V1_AUTHORIZATION, **changes: str) -> OssRequest:
    headers = {
        "content-type": "text/csv",
        "date": "Sat, 21 Nov 2026 09:23:23 GMT",
        "x-oss-meta-foo": "bar",
        "authorization": authorization,
    }
    return parse_request("PUT", "/my-bucket/in%2Fa.csv", {**headers, **changes})


def v4_put(signature: str = V4_SIGNATURE, credential: str = V4_CREDENTIAL) -> OssRequest:
    headers = {
        "content-type": "text/csv",
        "x-oss-content-sha256": "UNSIGNED-PAYLOAD",
        "x-oss-date": "20261121T092324Z",
        "x-oss-meta-foo": "bar",
        "authorization": f"OSS4-HMAC-SHA256 Credential={credential}, Signature={signature}",
    }
    return parse_request("PUT", "/my-bucket/in%2Fa.csv", headers)


# Recorded from the Go SDK v3.0.2, which signs V4 with ``Date`` alone.
GO_NOW = datetime(2026, 11, 26, 18, 30, 56, tzinfo=timezone.utc)
GO_SIGNATURE = "c175619f2c6b751e205e03c6ccbd64b0feeb347ca3755d44ae4ecf611c54ae26"


def go_put(**changes: str) -> OssRequest:
    credential = V4_CREDENTIAL.replace("20261121", "20261126")
    headers = {
        "authorization": f"OSS4-HMAC-SHA256 Credential={credential},Signature={GO_SIGNATURE}",
        "content-type": "text/csv",
        "date": "Thu, 26 Nov 2026 18:30:56 GMT",
        "x-oss-content-sha256": "UNSIGNED-PAYLOAD",
        "x-oss-meta-foo": "bar",
    }
    return parse_request("PUT", "/my-bucket/in%2Fa.csv", {**headers, **changes})


def test_a_v4_signature_over_the_date_header_alone_is_accepted() -> None:
    assert signatures(GO_NOW).check(go_put()) == "LTAItest"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"date": "Thu, 26 Nov 2026 18:30:57 GMT"}, "SignatureDoesNotMatch"),
        ({"date": "Wed, 25 Nov 2026 18:30:56 GMT"}, "InvalidArgument"),
        ({"date": ""}, "AccessDenied"),
        ({"date": "today"}, "AccessDenied"),
        ({"x-oss-date": "20261126T183056Z"}, "SignatureDoesNotMatch"),
    ],
)
def test_another_date_than_the_signed_one_is_refused(changes: dict[str, str], code: str) -> None:
    with pytest.raises(Refusal) as refusal:
        signatures(GO_NOW).check(go_put(**changes))

    assert refusal.value.code == code


@pytest.mark.parametrize(
    ("request_", "message", "ec"),
    [
        (
            v4_put(credential=V4_CREDENTIAL.replace("cn-beijing", "cn-shanghai")),
            "Invalid signing region in Authorization header.",
            "0002-00000226",
        ),
        (
            parse_request("GET", V4_URL.replace("cn-beijing", "cn-shanghai"), {}),
            "The signing region in credential is invalid.",
            "",
        ),
    ],
)
def test_a_signature_for_another_region_is_told_apart(request_: OssRequest, message: str, ec: str) -> None:
    with pytest.raises(Refusal) as refusal:
        signatures().check(request_)

    assert (refusal.value.code, refusal.value.message, refusal.value.ec) == ("InvalidArgument", message, ec)


@pytest.mark.parametrize(
    ("host", "target", "found"),
    [
        ("bucket.oss.localhost:8080", "/a%2Fb", ("bucket", "a/b", "oss.localhost:8080")),
        ("bucket.oss.localhost", "/", ("bucket", "", "oss.localhost")),
        ("bucket.localhost:8080", "/a/b", ("bucket", "a/b", "localhost:8080")),
        ("Bucket.OSS.LocalHost:8080", "//a", ("bucket", "/a", "oss.localhost:8080")),
        ("bucket.oss.localhost:8080", "/?prefix=a", ("bucket", "", "oss.localhost:8080")),
        ("oss.localhost:8080", "/bucket/a", ("bucket", "a", "oss.localhost:8080")),
        ("localhost:8080", "/bucket/a", ("bucket", "a", "localhost:8080")),
        ("127.0.0.1:8080", "/bucket/a", ("bucket", "a", "127.0.0.1:8080")),
        ("[::1]:8080", "/bucket/a", ("bucket", "a", "[::1]:8080")),
        ("bucket.oss-cn-beijing.aliyuncs.com", "/a/b", ("bucket", "a/b", "127.0.0.1:1")),
        ("bucket.oss-cn-beijing-internal.aliyuncs.com:80", "/", ("bucket", "", "127.0.0.1:1")),
        ("oss-cn-beijing.aliyuncs.com", "/bucket/a", ("bucket", "a", "127.0.0.1:1")),
        ("", "/bucket/a", ("bucket", "a", "127.0.0.1:1")),
    ],
)
def test_the_bucket_stands_in_the_host_or_in_the_path(
    host: str, target: str, found: tuple[str, str, str]
) -> None:
    request = parse_request("GET", target, {"host": host}, "127.0.0.1:1")

    assert (request.bucket, request.key, request.endpoint) == found


def test_the_v1_string_to_sign_is_the_documented_one() -> None:
    text = canonical.v1_string_to_sign(v1_put(), "Sat, 21 Nov 2026 09:23:23 GMT")

    assert text == (
        b"PUT\n\ntext/csv\nSat, 21 Nov 2026 09:23:23 GMT\nx-oss-meta-foo:bar\n/my-bucket/in/a.csv"
    )


def test_the_v4_canonical_request_is_the_documented_one() -> None:
    text = canonical.v4_canonical_request(v4_put(), ())

    assert text == (
        b"PUT\n/my-bucket/in/a.csv\n\ncontent-type:text/csv\nx-oss-content-sha256:UNSIGNED-PAYLOAD\n"
        b"x-oss-date:20261121T092324Z\nx-oss-meta-foo:bar\n\n\nUNSIGNED-PAYLOAD"
    )


def test_the_v2_vector_of_the_sdk_is_reproduced() -> None:
    request = v1_put()

    signature = canonical.v2_signature(request, "secret", request.header("date"), ())

    assert signature == "crN7+BNVXhOoUBnVgSuDo6/Jaz/nbsNquIQV7JJGkkY="


@pytest.mark.parametrize(
    "request_",
    [
        v1_put(),
        v1_put("OSS2 AccessKeyId:LTAItest,Signature:crN7+BNVXhOoUBnVgSuDo6/Jaz/nbsNquIQV7JJGkkY="),
        v4_put(),
        parse_request("GET", V4_URL, {}),
        parse_request("GET", V1_URL, {}),
    ],
    ids=["v1", "v2", "v4", "v4 url", "v1 url"],
)
def test_a_vector_of_the_sdk_is_accepted(request_: OssRequest) -> None:
    assert signatures().check(request_) == "LTAItest"


def test_a_signed_url_may_keep_the_slashes_of_its_key() -> None:
    signatures().check(parse_request("GET", V4_URL.replace("in%2Fa.csv", "in/a.csv"), {}))


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (v1_put("OSS LTAItest:AAAAAAAAAAAAAAAAAAAAAAAAAAA="), "SignatureDoesNotMatch"),
        (v1_put(**{"x-oss-meta-foo": "changed"}), "SignatureDoesNotMatch"),
        (v1_put(V1_AUTHORIZATION.replace("LTAItest", "LTAIother")), "InvalidAccessKeyId"),
        (v1_put(**{"x-oss-security-token": "unknown"}), "InvalidSecurityToken"),
        (v1_put("OSS STS.mine:x"), "AccessKeyIdAndSecurityTokenNotMatch"),
        (
            v1_put("OSS STS.mine:x", **{"x-oss-security-token": "other-token"}),
            "AccessKeyIdAndSecurityTokenNotMatch",
        ),
        (v1_put(**{"x-oss-security-token": "my-token"}), "AccessKeyIdAndSecurityTokenNotMatch"),
        (v1_put("OSS STS.mine:x", **{"x-oss-security-token": "my-token"}), "SignatureDoesNotMatch"),
        (v1_put(authorization=""), "AccessDenied"),
        (v1_put(date="yesterday"), "AccessDenied"),
        (v4_put(signature="0" * 64), "SignatureDoesNotMatch"),
        (v4_put(credential=V4_CREDENTIAL.replace("LTAItest", "LTAIother")), "InvalidAccessKeyId"),
        (v4_put(credential=V4_CREDENTIAL.replace("cn-beijing", "cn-shanghai")), "InvalidArgument"),
        (v4_put(credential="LTAItest"), "InvalidArgument"),
        (parse_request("PUT", V4_URL, {}), "SignatureDoesNotMatch"),
        (parse_request("GET", V4_URL.replace("3600", "9999999"), {}), "InvalidArgument"),
        (parse_request("GET", V1_URL.replace("1795256603", "soon"), {}), "SignatureDoesNotMatch"),
    ],
)
def test_a_wrong_signature_is_refused_with_the_code_of_the_service(request_: OssRequest, code: str) -> None:
    with pytest.raises(Refusal) as refusal:
        signatures().check(request_)

    assert refusal.value.code == code


@pytest.mark.parametrize("url", [V1_URL, V4_URL])
def test_a_signed_url_expires(url: str) -> None:
    late = signatures(now=NOW + timedelta(seconds=3601))

    with pytest.raises(Refusal, match="expired"):
        late.check(parse_request("GET", url, {}))


@pytest.mark.parametrize("request_", [v1_put(), v4_put()], ids=["v1", "v4"])
def test_a_header_signature_is_good_for_fifteen_minutes(request_: OssRequest) -> None:
    late = signatures(now=NOW + timedelta(minutes=16))

    with pytest.raises(Refusal) as refusal:
        late.check(request_)

    assert refusal.value.code == "RequestTimeTooSkewed"


@pytest.mark.parametrize(
    ("target", "bucket", "key"),
    [
        ("/bucket/a%2Fb", "bucket", "a/b"),
        ("/bucket/a/b", "bucket", "a/b"),
        ("/bucket/a/../b", "bucket", "a/../b"),
        ("/bucket//a", "bucket", "/a"),
        ("/bucket/%E5%AE%A2+%251", "bucket", "客+%1"),
        ("/bucket/", "bucket", ""),
        ("/bucket", "bucket", ""),
        ("/", "", ""),
    ],
)
def test_a_raw_path_is_split_after_the_bucket_and_never_normalised(
    target: str, bucket: str, key: str
) -> None:
    request = parse_request("GET", target, {})

    assert (request.bucket, request.key) == (bucket, key)


def test_a_key_that_is_not_utf8_is_refused() -> None:
    with pytest.raises(Refusal) as refusal:
        parse_request("GET", "/bucket/%FF", {})

    assert refusal.value.code == "InvalidObjectName"
