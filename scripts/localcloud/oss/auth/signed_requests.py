"""Checks who signed a request: V1, V2 and V4, in the header or the URL, also with an STS token."""

from __future__ import annotations

import hmac
import re
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

from scripts.localcloud.access.signing import MAX_EXPIRY_S, KnownKeys
from scripts.localcloud.oss import oss_refusals
from scripts.localcloud.oss.auth import canonical
from scripts.localcloud.oss.wire.oss_request import OssRequest
from scripts.localcloud.storage import refusals


class Signatures(KnownKeys):
    """Knows the keys and tells a good signature from a bad one."""

    def check(self, request: OssRequest) -> str:
        """Return the id of the known key that the request is signed with.

        Raises:
            Refusal: 403 (400 for a malformed or foreign scope), as the service answers.
        """
        authorization = request.header("authorization")
        if authorization.startswith(canonical.V4_ALGORITHM):
            return self._check_v4_header(request, authorization)
        if authorization.startswith("OSS2 "):
            return self._check_v2_header(request, authorization)
        if authorization.startswith("OSS "):
            return self._check_v1_header(request, authorization)
        if request.query.get("x-oss-signature-version") == canonical.V4_ALGORITHM:
            return self._check_v4_url(request)
        if request.query.get("x-oss-signature-version") == "OSS2":
            return self._check_v2_url(request)
        if "Signature" in request.query:
            return self._check_v1_url(request)
        raise refusals.access_denied("You have no right to access this object because of bucket acl.")

    def _check_v1_header(self, request: OssRequest, authorization: str) -> str:
        access_key_id, _, given = authorization[len("OSS ") :].partition(":")
        secret = self.secret(access_key_id, request.header("x-oss-security-token"))
        date = request.header("x-oss-date") or request.header("date")
        self._check_skew(_parse_http_date(date))
        signed = canonical.v1_string_to_sign(request, date)
        _compare(given, canonical.v1_signature(request, secret, date), signed)
        return access_key_id

    def _check_v1_url(self, request: OssRequest) -> str:
        access_key_id = request.query.get("OSSAccessKeyId", "")
        secret = self.secret(access_key_id, request.query.get("security-token", ""))
        expires = request.query.get("Expires", "")
        signed = canonical.v1_string_to_sign(request, expires)
        _compare(request.query["Signature"], canonical.v1_signature(request, secret, expires), signed)
        self._check_expiry(_from_epoch(expires))
        return access_key_id

    def _check_v2_header(self, request: OssRequest, authorization: str) -> str:
        fields = dict(
            item.partition(":")[::2] for item in authorization[len("OSS2 ") :].split(",") if ":" in item
        )
        access_key_id = fields.get("AccessKeyId", "")
        secret = self.secret(access_key_id, request.header("x-oss-security-token"))
        date = request.header("date")
        self._check_skew(_parse_http_date(date))
        additional = _header_names(fields.get("AdditionalHeaders", ""))
        expected = canonical.v2_signature(request, secret, date, additional)
        signed = canonical.v2_string_to_sign(request, date, additional)
        _compare(fields.get("Signature", ""), expected, signed)
        return access_key_id

    def _check_v2_url(self, request: OssRequest) -> str:
        query = request.query
        access_key_id = query.get("x-oss-access-key-id", "")
        secret = self.secret(access_key_id, query.get("security-token", ""))
        expires = query.get("x-oss-expires", "")
        additional = _header_names(query.get("x-oss-additional-headers", ""))
        expected = canonical.v2_signature(request, secret, expires, additional)
        signed = canonical.v2_string_to_sign(request, expires, additional)
        _compare(query.get("x-oss-signature", ""), expected, signed)
        self._check_expiry(_from_epoch(expires))
        return access_key_id

    def _check_v4_header(self, request: OssRequest, authorization: str) -> str:
        items = authorization[len(canonical.V4_ALGORITHM) :].split(",")
        fields = dict(item.strip().partition("=")[::2] for item in items)
        date = request.header("x-oss-date")
        signed_at = parse_timestamp(date) if date else _parse_http_date(request.header("date"))
        scope = self._scope(signed_at)
        access_key_id = _v4_access_key_id(fields.get("Credential", ""), scope, in_url=False)
        secret = self.secret(access_key_id, request.header("x-oss-security-token"))
        self._check_skew(signed_at)
        additional = _header_names(fields.get("AdditionalHeaders", ""))
        expected = canonical.v4_signature(request, secret, date or request.header("date"), scope, additional)
        _compare(fields.get("Signature", ""), expected, canonical.v4_canonical_request(request, additional))
        return access_key_id

    def _check_v4_url(self, request: OssRequest) -> str:
        query = request.query
        timestamp = query.get("x-oss-date", "")
        signed_at = parse_timestamp(timestamp)
        lifetime = query.get("x-oss-expires", "")
        if not re.fullmatch("[0-9]{1,9}", lifetime) or int(lifetime) > MAX_EXPIRY_S:
            raise refusals.invalid_argument("x-oss-expires must be between 1 and 604800 seconds.")
        scope = self._scope(signed_at)
        access_key_id = _v4_access_key_id(query.get("x-oss-credential", ""), scope, in_url=True)
        secret = self.secret(access_key_id, query.get("x-oss-security-token", ""))
        additional = _header_names(query.get("x-oss-additional-headers", ""))
        expected = canonical.v4_signature(request, secret, timestamp, scope, additional)
        _compare(
            query.get("x-oss-signature", ""), expected, canonical.v4_canonical_request(request, additional)
        )
        self._check_expiry(signed_at + timedelta(seconds=int(lifetime)))
        return access_key_id

    def _scope(self, signed_at: datetime) -> canonical.V4Scope:
        return canonical.V4Scope(f"{signed_at.astimezone(timezone.utc):%Y%m%d}", self.region)

    def secret(self, access_key_id: str, token: str) -> str:
        """A known key's, if the token belongs to it; ``""`` is no token."""
        if token and token not in self.security_tokens.values():
            raise refusals.invalid_security_token()
        if access_key_id not in self.credentials:
            raise oss_refusals.invalid_access_key_id()
        # A temporary key without a token is refused; which code the service answers is not known.
        if self.security_tokens.get(access_key_id, "") != token:
            raise oss_refusals.key_and_token_do_not_match()
        return self.credentials[access_key_id]

    def _check_skew(self, signed_at: datetime) -> None:
        if self.is_skewed(signed_at):
            raise refusals.request_time_too_skewed()

    def _check_expiry(self, expires_at: datetime) -> None:
        if self.now() > expires_at:
            raise refusals.access_denied("Request has expired.")


def _compare(given: str, expected: str, signed: bytes) -> None:
    if not hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode()):
        raise oss_refusals.signature_does_not_match(given, signed)


def _header_names(joined: str) -> list[str]:
    return [name.strip().lower() for name in joined.split(";") if name.strip()]


def _v4_access_key_id(credential: str, scope: canonical.V4Scope, *, in_url: bool) -> str:
    access_key_id, _, given = credential.partition("/")
    day, _, rest = given.partition("/")
    region, _, product = rest.partition("/")
    if product != f"oss/{canonical.V4_TERMINATOR}" or day != scope.day:
        raise refusals.invalid_argument("The credential scope of the signature is malformed.")
    if region != scope.region:
        raise oss_refusals.invalid_signing_region(in_url=in_url)
    return access_key_id


def _parse_http_date(text: str) -> datetime:
    try:
        parsed = parsedate_to_datetime(text)
    except (TypeError, ValueError) as error:
        message = "OSS authentication requires a valid Date."
        raise refusals.access_denied(message) from error
    return parsed.replace(tzinfo=timezone.utc) if parsed.tzinfo is None else parsed


def parse_timestamp(text: str) -> datetime:
    """``20231203T121212Z``, as V4 writes times."""
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
    except ValueError as error:
        message = "OSS authentication requires a valid x-oss-date."
        raise refusals.access_denied(message) from error


def _from_epoch(text: str) -> datetime:
    if not re.fullmatch("[0-9]{1,11}", text):
        raise refusals.access_denied("Invalid Expires parameter.")
    return datetime.fromtimestamp(int(text), tz=timezone.utc)
