"""Verifies a request's HMAC-SHA256 by the headers that it says are signed.

https://www.volcengine.com/docs/6369/67269; recomputed equal to what volcenginesdk-core sends.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, quote

from scripts.localcloud.access.signing import scoped_signature
from scripts.localcloud.actions.refusal import Refusal
from scripts.localcloud.actions.signature import AccessKey, Signed

_AUTHORIZATION = re.compile(
    r"HMAC-SHA256 Credential=([^/,]+)/(\d{8}/[^/,]+/[^/,]+/request), ?"
    r"SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})"
)
_DEFAULT_PORTS = re.compile(r":(80|443)$")
# The documented minimum.
_MUST_BE_SIGNED = frozenset({"host", "x-content-sha256", "x-date"})


def verify(request: Signed, keys: Mapping[str, AccessKey]) -> None:
    """Check the signature.

    Raises:
        Refusal: It is missing, of an unknown key, or wrong.
    """
    sent = _AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
    if not sent:
        raise Refusal(401, "InvalidAuthorization", "The request has no readable signature.")
    key_id, scope, names, signature = sent.groups()
    key = keys.get(key_id)
    if key is None:
        raise Refusal(401, "InvalidAccessKey", "The access key does not exist.")
    if key.token != request.headers.get("x-security-token"):
        raise Refusal(401, "InvalidSecurityToken", "The security token is not that of the access key.")
    signed = names.split(";")
    is_whole = set(signed) >= _MUST_BE_SIGNED and request.headers.get("x-content-sha256") == request.body_hash
    expected = _signature(request, key.secret, scope, signed)
    if not (is_whole and hmac.compare_digest(expected, signature)):
        raise Refusal(403, "SignatureDoesNotMatch", "The request signature does not match the one computed.")


def _signature(request: Signed, secret: str, scope: str, names: list[str]) -> str:
    canonical = request.canonical(_canonical_query(request.query), names, lambda name: _value(request, name))
    date = request.headers.get("x-date", "")
    return scoped_signature(canonical, secret, "HMAC-SHA256", date, scope)


def _value(request: Signed, name: str) -> str:
    value = request.headers.get(name, "").strip()
    return _DEFAULT_PORTS.sub("", value) if name == "host" else value


def _canonical_query(query: str) -> str:
    pairs = sorted(
        (quote(name, safe="-_.~"), quote(value, safe="-_.~"))
        for name, value in parse_qsl(query, keep_blank_values=True)
    )
    return "&".join(f"{name}={value}" for name, value in pairs)
