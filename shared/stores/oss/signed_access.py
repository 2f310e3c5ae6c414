"""Signs, with signature V4, what a browser may do with one object of an OSS bucket."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import reduce
from typing import Any
from urllib.parse import quote

from shared.ports.signed_access import PostForm
from shared.stores.oss.errors import translated

_ALGORITHM = "OSS4-HMAC-SHA256"


class OssSignedAccess:
    """``SignedAccess`` over what ``open_oss_bucket`` opens. oss2 itself signs no forms.

    Its endpoint is one that browsers reach, so none of the cloud's inner network, and ``region`` is
    that of the bucket.
    """

    def __init__(self, bucket: Any, region: str) -> None:
        self._bucket = bucket
        self._region = region

    def upload_form(self, key: str, *, max_bytes: int, now: datetime, lifetime: timedelta) -> PostForm:
        """As of the port.

        Source: https://help.aliyun.com/en/oss/developer-reference/signature-version-4-recommend. A
        condition holds only of a field that is there, so none can forbid one: who has the form
        may add headers of the object, such as an ACL, which ``BlockPublicAccess`` makes harmless.
        """
        credentials = self._bucket.auth.credentials_provider.get_credentials()
        token = credentials.get_security_token()
        scope = f"{now:%Y%m%d}/{self._region}/oss/aliyun_v4_request"
        fields = {
            "key": key,
            "success_action_status": "204",
            # Before the type that a browser gives the file, or somebody the form
            # (https://help.aliyun.com/en/oss/developer-reference/postobject).
            "x-oss-content-type": "application/octet-stream",
            "x-oss-storage-class": "Standard",  # what is archived, no function can read
            "x-oss-signature-version": _ALGORITHM,
            "x-oss-credential": f"{credentials.get_access_key_id()}/{scope}",
            "x-oss-date": f"{now:%Y%m%dT%H%M%SZ}",
            **({"x-oss-security-token": token} if token else {}),
        }
        policy = _policy(self._bucket.bucket_name, fields, max_bytes, now + lifetime)
        signature = _signature(credentials.get_access_key_secret(), scope, policy)
        url = self._bucket._make_url(self._bucket.bucket_name, "")  # noqa: SLF001 (it knows both styles)
        return PostForm(url, {**fields, "policy": policy, "x-oss-signature": signature})

    def download_url(self, key: str, *, file_name: str, lifetime: timedelta) -> str:
        params = {
            # A browser that were told of HTML would show it, in the name of the bucket's host.
            "response-content-type": "application/octet-stream",
            "response-content-disposition": f"attachment; filename*=UTF-8''{quote(file_name, safe='')}",
        }
        with translated("sign", key):
            seconds = int(lifetime.total_seconds())
            url: str = self._bucket.sign_url("GET", key, seconds, params=params, slash_safe=True)
        return url


def _policy(bucket: str, fields: Mapping[str, str], max_bytes: int, expires_at: datetime) -> str:
    """Every field of ours is fixed."""
    document = {
        "expiration": f"{expires_at:%Y-%m-%dT%H:%M:%S.000Z}",
        "conditions": [
            {"bucket": bucket},
            *({name: value} for name, value in fields.items()),
            ["content-length-range", 1, max_bytes],
        ],
    }
    return base64.b64encode(json.dumps(document, ensure_ascii=False).encode()).decode()


def _signature(secret: str, scope: str, policy: str) -> str:
    steps = (step.encode() for step in scope.split("/"))
    key = reduce(
        lambda derived, step: hmac.digest(derived, step, "sha256"), steps, f"aliyun_v4{secret}".encode()
    )
    return hmac.digest(key, policy.encode(), "sha256").hex()
