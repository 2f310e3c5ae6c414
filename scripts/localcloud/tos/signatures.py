"""Checks who signed a request: TOS4-HMAC-SHA256, in the header or in a presigned URL.

Source: the ``tos`` SDK's ``auth.py``, and https://www.volcengine.com/docs/6349/74839.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from urllib.parse import quote

from scripts.localcloud.access.signing import MAX_EXPIRY_S, KnownKeys, scoped_signature, unsigned_headers
from scripts.localcloud.storage import refusals
from scripts.localcloud.tos.wire.tos_request import UNSIGNED, TosRequest

ALGORITHM = "TOS4-HMAC-SHA256"


@dataclass(frozen=True)
class Proof:
    """What a request gives to show who signed it."""

    credential: str
    date: str
    signed_headers: str
    signature: str
    token: str
    content_hash: str


class Signatures(KnownKeys):
    """Knows the keys and tells a good signature from a bad one."""

    def check(self, request: TosRequest) -> str:
        """Return the id of the known key that the request is signed with.

        Raises:
            Refusal: 403, or 400 for what is malformed.
        """
        if request.header("authorization").startswith(ALGORITHM):
            proof = _header_proof(request)
            if self.is_skewed(_parse_date(proof.date)):
                raise refusals.request_time_too_skewed()
            return self._check(request, proof)
        if request.query.get("X-Tos-Algorithm") == ALGORITHM:
            proof = _url_proof(request)
            self._check_expiry(request, proof)
            return self._check(request, proof)
        raise refusals.access_denied("Anonymous access is forbidden for this operation.")

    def _check(self, request: TosRequest, proof: Proof) -> str:
        access_key_id, _, scope = proof.credential.partition("/")
        if scope != f"{proof.date[:8]}/{self.region}/tos/request":
            raise refusals.invalid_argument("The credential scope of the signature is malformed.")
        if access_key_id not in self.credentials:
            raise refusals.invalid_access_key_id()
        if self.security_tokens.get(access_key_id, "") != proof.token:
            raise refusals.invalid_security_token()
        signed = canonical_request(request, proof)
        secret = self.credentials[access_key_id]
        expected = scoped_signature(signed.encode(), secret, ALGORITHM, proof.date, scope)
        if not hmac.compare_digest(proof.signature.encode("utf-8", "replace"), expected.encode()):
            raise refusals.signature_does_not_match(signed)
        names = proof.signed_headers.split(";")
        if unsigned := unsigned_headers(request.headers, names, "x-tos-copy-source"):
            raise refusals.access_denied(f"These headers must be signed: {', '.join(unsigned)}.")
        return access_key_id

    def _check_expiry(self, request: TosRequest, proof: Proof) -> None:
        lifetime = request.query.get("X-Tos-Expires", "")
        if not re.fullmatch("[0-9]{1,7}", lifetime) or int(lifetime) > MAX_EXPIRY_S:
            raise refusals.invalid_argument("X-Tos-Expires must be between 1 and 604800 seconds.")
        if self.now() > _parse_date(proof.date) + timedelta(seconds=int(lifetime)):
            raise refusals.access_denied("Request has expired.")


def canonical_request(request: TosRequest, proof: Proof) -> str:
    """The text whose hash is signed; headers as they came, parameters and path encoded again."""
    query = "&".join(
        f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}"
        for name, value in sorted(request.query.items())
        if name.lower() != "x-tos-signature"
    )
    names = proof.signed_headers.split(";")
    headers = "".join(f"{name}:{request.header(name)}\n" for name in names)
    path = quote(f"/{request.key}", safe="/~")
    lines = [request.method, path, query, headers, proof.signed_headers, proof.content_hash]
    return "\n".join(lines)


def _header_proof(request: TosRequest) -> Proof:
    items = request.header("authorization")[len(ALGORITHM) :].split(",")
    given = dict(item.strip().partition("=")[::2] for item in items)
    return Proof(
        credential=given.get("Credential", ""),
        date=request.header("x-tos-date"),
        signed_headers=given.get("SignedHeaders", ""),
        signature=given.get("Signature", ""),
        token=request.header("x-tos-security-token"),
        content_hash=request.header("x-tos-content-sha256") or UNSIGNED,
    )


def _url_proof(request: TosRequest) -> Proof:
    query = request.query
    return Proof(
        credential=query.get("X-Tos-Credential", ""),
        date=query.get("X-Tos-Date", ""),
        signed_headers=query.get("X-Tos-SignedHeaders", ""),
        signature=query.get("X-Tos-Signature", ""),
        token=query.get("X-Tos-Security-Token", ""),
        content_hash=UNSIGNED,
    )


def _parse_date(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
    except ValueError as error:
        raise refusals.access_denied("TOS authentication requires a valid X-Tos-Date.") from error
