"""Verifies ACS3-HMAC-SHA256, with which Alibaba Cloud's SDKs sign every call but OSS's.

https://help.aliyun.com/en/sdk/product-overview/v3-request-structure-and-signature; recomputed equal
to what alibabacloud-tea-openapi sends.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, quote

from scripts.localcloud.actions.refusal import Refusal
from scripts.localcloud.actions.signature import Signed

ALGORITHM = "ACS3-HMAC-SHA256"
_AUTHORIZATION = re.compile(
    rf"{ALGORITHM} Credential=([^,]+),SignedHeaders=([a-z0-9;-]+),Signature=([0-9a-f]{{64}})"
)
_MUST_BE_SIGNED = frozenset({"host", "x-acs-action", "x-acs-content-sha256", "x-acs-date", "x-acs-version"})


def verify(request: Signed, secrets: Mapping[str, str]) -> str:
    """Check the signature and return the id of the key that made it.

    Raises:
        Refusal: It is missing, of an unknown key, or wrong.
    """
    sent = _AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
    if not sent:
        raise Refusal(400, "MissingAccessKeyId", "AccessKeyId is mandatory for this action.")
    key_id, names, signature = sent.groups()
    if key_id not in secrets:
        raise Refusal(404, "InvalidAccessKeyId.NotFound", "Specified access key is not found.")
    signed = names.split(";")
    is_whole = (
        set(signed) >= _MUST_BE_SIGNED and request.headers.get("x-acs-content-sha256") == request.body_hash
    )
    canonical = request.canonical(_canonical_query(request.query), signed, lambda each: _value(request, each))
    to_sign = f"{ALGORITHM}\n{hashlib.sha256(canonical).hexdigest()}"
    expected = hmac.digest(secrets[key_id].encode(), to_sign.encode(), "sha256").hex()
    if not (is_whole and hmac.compare_digest(expected, signature)):
        raise Refusal(400, "SignatureDoesNotMatch", "The request signature does not conform to the standard.")
    return key_id


def _value(request: Signed, name: str) -> str:
    return request.headers.get(name, "").strip()


def _canonical_query(query: str) -> str:
    pairs = sorted(parse_qsl(query, keep_blank_values=True))
    return "&".join(f"{name}={quote(value, safe='-_.~')}" for name, value in pairs)
