"""Checks who signed a request: HMAC-SHA1, in the header or in a presigned URL.

Source: the SDK's ``cos_auth.py``, and https://cloud.tencent.com/document/product/436/7778.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import datetime, timezone
from urllib.parse import quote, unquote

from scripts.localcloud.access.signing import KnownKeys, unsigned_headers
from scripts.localcloud.cos.wire.cos_request import CosRequest
from scripts.localcloud.storage import refusals


class Signatures(KnownKeys):
    """Knows the keys and tells a good signature from a bad one."""

    def check(self, request: CosRequest) -> str:
        """Return the id of the known key that the request is signed with.

        Raises:
            Refusal: 403, or 400 for what is malformed.
        """
        proof = _proof(request)
        key_id = proof.get("q-ak", "")
        self._check_time(proof.get("q-sign-time", ""))
        if key_id not in self.credentials:
            raise refusals.invalid_access_key_id()
        token = request.header("x-cos-security-token") or request.query.get("x-cos-security-token", "")
        if self.security_tokens.get(key_id, "") != token:
            raise refusals.invalid_security_token()
        signed_names = _names(proof.get("q-header-list", ""))
        signed = signed_text(request, signed_names, _names(proof.get("q-url-param-list", "")))
        expected = signature(
            signed, self.credentials[key_id], proof.get("q-key-time", ""), proof["q-sign-time"]
        )
        if not hmac.compare_digest(
            proof.get("q-signature", "").encode("utf-8", "replace"), expected.encode()
        ):
            raise refusals.signature_does_not_match(signed)
        if unsigned := unsigned_headers(request.headers, signed_names, "x-cos-copy-source"):
            raise refusals.access_denied(f"These headers must be signed: {', '.join(unsigned)}.")
        return key_id

    def _check_time(self, text: str) -> None:
        if not (found := re.fullmatch("([0-9]{1,11});([0-9]{1,11})", text)):
            raise refusals.invalid_argument("The q-sign-time of the signature is malformed.")
        begins_at, ends_at = (datetime.fromtimestamp(int(each), tz=timezone.utc) for each in found.groups())
        if self.now() < begins_at and self.is_skewed(begins_at):
            raise refusals.request_time_too_skewed()
        if self.now() > ends_at:
            raise refusals.access_denied("Request has expired.")


def signed_text(request: CosRequest, headers: list[str], parameters: list[str]) -> str:
    """What the signature is made over, beside its time."""
    query = {_written(name.encode()).lower(): value.encode() for name, value in request.query.items()}
    given = {name: request.header(name).encode("latin-1") for name in headers}
    lines = [
        request.method.lower(),
        f"/{request.key}",
        _joined({name: query.get(_written(name.encode()).lower(), b"") for name in parameters}),
        _joined(given),
    ]
    return "".join(f"{line}\n" for line in lines)


def signature(signed: str, secret: str, key_time: str, sign_time: str) -> str:
    key = hmac.digest(secret.encode(), key_time.encode(), "sha1").hex()
    digest = hashlib.sha1(signed.encode(), usedforsecurity=False).hexdigest()
    return hmac.digest(key.encode(), f"sha1\n{sign_time}\n{digest}\n".encode(), "sha1").hex()


def _proof(request: CosRequest) -> Mapping[str, str]:
    """What a request gives to show who signed it."""
    authorization = request.header("authorization")
    if authorization.startswith("q-sign-algorithm=sha1&"):
        return dict(item.partition("=")[::2] for item in authorization.split("&"))
    if request.query.get("q-sign-algorithm") == "sha1":
        return request.query
    raise refusals.access_denied("Anonymous access is forbidden for this operation.")


def _names(joined: str) -> list[str]:
    return [unquote(name) for name in joined.split(";") if name]


def _joined(values: Mapping[str, bytes]) -> str:
    pairs = sorted((_written(name.encode()).lower(), _written(value)) for name, value in values.items())
    return "&".join(f"{name}={value}" for name, value in pairs)


def _written(value: bytes) -> str:
    return quote(value, safe="-_.~")
