"""Checks who signed the policy of a posted form: V1 and V4, also with an STS token.

Sources: https://help.aliyun.com/en/oss/developer-reference/signature-version-4-recommend,
https://alibabacloud.com/help/en/oss/developer-reference/signature-version-1
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping
from datetime import timedelta

from scripts.localcloud.access.signing import MAX_EXPIRY_S, derived_key
from scripts.localcloud.oss import form_refusals, oss_refusals
from scripts.localcloud.oss.auth.canonical import V4_ALGORITHM, V4_TERMINATOR
from scripts.localcloud.oss.auth.signed_requests import Signatures, parse_timestamp
from scripts.localcloud.storage import refusals

TOKEN = "x-oss-security-token"  # noqa: S105 (a field's name)
VERSION, CREDENTIAL, DATE = "x-oss-signature-version", "x-oss-credential", "x-oss-date"
# Of these the policy must have conditions.
V4_FIELDS = frozenset({VERSION, CREDENTIAL, DATE})
_OTHER_SIGNATURES = frozenset({"x-amz-signature", "awsaccesskeyid"})


def is_v4(fields: Mapping[str, str]) -> bool:
    return fields.get(VERSION) == V4_ALGORITHM


def check_form(signatures: Signatures, fields: Mapping[str, str]) -> str:
    """Return the id of the known key that the form's policy is signed with.

    Raises:
        Refusal: 403, 400 for what is missing or malformed, 501 for other kinds of signatures.
    """
    if _OTHER_SIGNATURES & fields.keys() or (VERSION in fields and not is_v4(fields)):
        raise refusals.not_implemented("forms with signatures other than V1 and V4")
    name, key_field = ("x-oss-signature", CREDENTIAL) if is_v4(fields) else ("signature", "ossaccesskeyid")
    if not {name, key_field, "policy"} & fields.keys():
        raise refusals.access_denied("You have no right to access this object because of bucket acl.")
    if "policy" not in fields:
        raise form_refusals.lacks_field("policy", "0002-00000702")
    if not fields.get(name):
        raise form_refusals.lacks_field(name, "0002-00000704" if name in fields else "0002-00000703")
    if key_field not in fields:
        raise form_refusals.lacks_field(key_field)
    access_key_id, expected = _v4(signatures, fields) if is_v4(fields) else _v1(signatures, fields)
    if not hmac.compare_digest(fields[name].encode(), expected.encode()):
        raise oss_refusals.signature_does_not_match(fields[name], fields["policy"].encode())
    return access_key_id


def _v1(signatures: Signatures, fields: Mapping[str, str]) -> tuple[str, str]:
    access_key_id = fields["ossaccesskeyid"]
    secret = signatures.secret(access_key_id, fields.get(TOKEN, ""))
    digest = hmac.digest(secret.encode(), fields["policy"].encode(), "sha1")
    return access_key_id, base64.b64encode(digest).decode()


def _v4(signatures: Signatures, fields: Mapping[str, str]) -> tuple[str, str]:
    """The date may be 15 minutes ahead, and a signature is good for seven days at most."""
    access_key_id, _, given = fields[CREDENTIAL].partition("/")
    signed_at = parse_timestamp(fields.get(DATE, ""))
    scope = f"{signed_at:%Y%m%d}/{signatures.region}/oss/{V4_TERMINATOR}"
    if given != scope:
        raise form_refusals.invalid_credential()
    secret = signatures.secret(access_key_id, fields.get(TOKEN, ""))
    age = signatures.now() - signed_at
    if (age < timedelta() and signatures.is_skewed(signed_at)) or age > timedelta(seconds=MAX_EXPIRY_S):
        raise refusals.request_time_too_skewed()
    key = derived_key(f"aliyun_v4{secret}", scope)
    return access_key_id, hmac.digest(key, fields["policy"].encode(), "sha256").hex()
