"""Verifies TC3-HMAC-SHA256 (https://cloud.tencent.com/document/api/851/75087).

Recomputed equal to what tencentcloud-sdk-python-common sends.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone

from scripts.localcloud.access.signing import scoped_signature
from scripts.localcloud.actions.signature import AccessKey, Signed
from scripts.localcloud.tione.api.refusals import refused

_ALGORITHM = "TC3-HMAC-SHA256"
_AUTHORIZATION = re.compile(
    _ALGORITHM + r" Credential=([^/,]+)/((\d{4}-\d\d-\d\d)/tione/tc3_request), ?"
    r"SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})"
)
# The documented minimum; no header of the action's needs to be signed.
_MUST_BE_SIGNED = frozenset({"content-type", "host"})
_MAX_CLOCK_SKEW = timedelta(minutes=5)


def verify(request: Signed, keys: Mapping[str, AccessKey], now: datetime) -> None:
    """Check the signature.

    Raises:
        Refusal: It is missing, of an unknown key, too old, or wrong.
    """
    sent = _AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
    timestamp = request.headers.get("x-tc-timestamp", "")
    if not sent or not re.fullmatch(r"[0-9]{1,11}", timestamp):
        raise refused("AuthFailure.InvalidAuthorization", "The request has no readable signature.")
    key_id, scope, date, names, signature = sent.groups()
    key = keys.get(key_id)
    if key is None:
        raise refused("AuthFailure.SecretIdNotFound", "The SecretId is not found.")
    if key.token != request.headers.get("x-tc-token"):
        raise refused("AuthFailure.TokenFailure", "The token is not that of the SecretId.")
    _check_time(datetime.fromtimestamp(int(timestamp), timezone.utc), date, now)
    signed = names.split(";")
    canonical = request.canonical(request.query, signed, lambda name: request.headers.get(name, "").strip())
    expected = scoped_signature(canonical, f"TC3{key.secret}", _ALGORITHM, timestamp, scope)
    if not (set(signed) >= _MUST_BE_SIGNED and hmac.compare_digest(expected, signature)):
        raise refused("AuthFailure.SignatureFailure", "The provided credentials could not be validated.")


def _check_time(signed_at: datetime, date: str, now: datetime) -> None:
    if abs(now - signed_at) > _MAX_CLOCK_SKEW:
        raise refused("AuthFailure.SignatureExpire", "The signature expired: the clock is wrong.")
    if f"{signed_at:%Y-%m-%d}" != date:
        raise refused("AuthFailure.SignatureFailure", "The signature is of another day than its time.")
