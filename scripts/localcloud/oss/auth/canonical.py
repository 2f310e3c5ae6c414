"""The strings that OSS signatures V1, V2 and V4 sign, and the signatures over them; pure.

Sources: oss2's ``auth.py``, and
https://help.aliyun.com/en/oss/developer-reference/recommend-to-use-signature-version-4 for V4,
https://help.aliyun.com/en/oss/developer-reference/include-signatures-in-the-authorization-header
for V1.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Collection, Mapping
from typing import NamedTuple
from urllib.parse import quote

from scripts.localcloud.access.signing import scoped_signature
from scripts.localcloud.oss.wire.oss_request import OssRequest

V4_ALGORITHM = "OSS4-HMAC-SHA256"
V4_TERMINATOR = "aliyun_v4_request"
SIGNATURE_PARAMETERS = frozenset({"OSSAccessKeyId", "Expires", "Signature", "x-oss-signature"})

# V1 signs only these query parameters. The list is the service's and complete, although the local
# OSS implements few of them: a request for the others must fail as "not implemented", not as a
# wrong signature.
V1_SIGNED_PARAMETERS = frozenset(
    re.findall(
        r"\S+",
        """
    accessPoint accessPointPolicy acl append asyncFetch bucketArchiveDirectRead bucketInfo callback callback-var
    cleanRestoredObject cloudboxes cname comp continuation-token cors dataPipeline delete encryption endTime
    group httpsConfig img inventory inventoryId legalHold lifecycle link live location logging MetaQuery
    metaQuery objectInfo objectMeta objectWorm overwriteConfig partNumber policy policyStatus position
    publicAccessBlock qos qosInfo qosRequester redundancyTransition referer regionList replication
    replicationLocation replicationProgress requesterQosInfo requestPayment resourceGroup resourcePool
    resourcePoolBuckets resourcePoolInfo response-cache-control response-content-disposition
    response-content-encoding response-content-language response-content-type response-expires responseHeader
    restore retention rtc seal security-token sequential startTime stat status style styleName symlink tagging
    transferAcceleration udf udfApplication udfApplicationLog udfId udfImage udfImageDesc udfName uploadId
    uploads userDefinedLogFieldsConfig versionId versioning versions vod website withHashContext worm wormExtend
    wormId x-oss-access-point-name x-oss-ac-forward-allow x-oss-ac-source-ip x-oss-ac-subnet-mask
    x-oss-ac-vpc-id x-oss-async-process x-oss-enable-md5 x-oss-enable-sha1 x-oss-enable-sha256 x-oss-hash-ctx
    x-oss-md5-ctx x-oss-process x-oss-redundancy-transition-taskid x-oss-request-payer
    x-oss-target-redundancy-type x-oss-traffic-limit x-oss-write-get-object-response
    """,
    )
)


class V4Scope(NamedTuple):
    """Where and on which day (``YYYYMMDD``) a V4 signature is good."""

    day: str
    region: str


def v1_signature(request: OssRequest, secret: str, date: str) -> str:
    """Base64 HMAC-SHA1; ``date`` is the header, or the absolute expiry of a signed URL."""
    return _base64_hmac(secret, v1_string_to_sign(request, date), "sha1")


def v1_string_to_sign(request: OssRequest, date: str) -> bytes:
    signed = {name: value for name, value in request.query.items() if name in V1_SIGNED_PARAMETERS}
    resource = f"/{request.bucket}/{request.key}" if request.bucket else "/"
    if signed:
        resource += "?" + _joined_query(signed)
    lead = [request.method, request.header("content-md5"), request.header("content-type"), date]
    return ("\n".join(lead) + "\n" + _header_lines(request, ())).encode("latin-1") + resource.encode()


def v2_signature(request: OssRequest, secret: str, date: str, additional: Collection[str]) -> str:
    """Base64 HMAC-SHA256; ``additional`` are the further signed headers, in lower case."""
    return _base64_hmac(secret, v2_string_to_sign(request, date, additional), "sha256")


def v2_string_to_sign(request: OssRequest, date: str, additional: Collection[str]) -> bytes:
    resource = quote(f"/{request.bucket}/{request.key}" if request.bucket else "/", safe="")
    query = _encoded_query(request)
    if query:
        resource += "?" + query
    lead = [request.method, request.header("content-md5"), request.header("content-type"), date]
    lines = "\n".join(lead) + "\n" + _header_lines(request, additional) + ";".join(sorted(additional)) + "\n"
    return lines.encode("latin-1") + resource.encode()


def v4_signature(
    request: OssRequest, secret: str, date: str, scope: V4Scope, additional: Collection[str]
) -> str:
    """``date`` is that of the header ``x-oss-date``, or else of ``Date``, in HTTP's form."""
    canonical = v4_canonical_request(request, additional)
    scope_text = f"{scope.day}/{scope.region}/oss/{V4_TERMINATOR}"
    return scoped_signature(canonical, f"aliyun_v4{secret}", V4_ALGORITHM, date, scope_text)


def v4_canonical_request(request: OssRequest, additional: Collection[str]) -> bytes:
    uri = quote(f"/{request.bucket}/{request.key}" if request.bucket else "/", safe="/")
    signed_headers = {"content-type", "content-md5", *additional}
    lines = [
        request.method,
        uri,
        _encoded_query(request),
        _header_lines(request, signed_headers),
        ";".join(sorted(additional)),
        request.header("x-oss-content-sha256") or "UNSIGNED-PAYLOAD",
    ]
    return "\n".join(lines).encode("latin-1")


def _header_lines(request: OssRequest, further: Collection[str]) -> str:
    names = sorted(name for name in request.headers if name.startswith("x-oss-") or name in further)
    return "".join(f"{name}:{request.headers[name]}\n" for name in names)


def _encoded_query(request: OssRequest) -> str:
    # urllib quotes exactly what OSS does: all but letters, digits and "-_.~".
    return _joined_query(
        {
            quote(name, safe=""): quote(value, safe="")
            for name, value in request.query.items()
            if name not in SIGNATURE_PARAMETERS
        }
    )


def _joined_query(parameters: Mapping[str, str]) -> str:
    return "&".join(f"{name}={value}" if value else name for name, value in sorted(parameters.items()))


def _base64_hmac(secret: str, message: bytes, algorithm: str) -> str:
    return base64.b64encode(hmac.digest(secret.encode(), message, algorithm)).decode()
