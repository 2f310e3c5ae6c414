"""One HTTP request to the local OSS: where its bucket and key stand."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote_to_bytes

from scripts.localcloud.storage import object_files, refusals
from scripts.localcloud.storage_http.incoming.request import ObjectRequest

# What may stand for the service in a host name; before it stands the bucket.
_SERVICE_NAMES = ("oss.localhost", "localhost")
REGION_HOST = re.compile(r"(?:([a-z0-9-]+)\.)?oss-[a-z0-9-]+\.aliyuncs\.com(?::\d{1,5})?")


@dataclass(frozen=True)
class OssRequest(ObjectRequest):
    """A request to OSS."""

    def forbids_overwrite(self) -> bool:
        value = self.header("x-oss-forbid-overwrite").lower()
        if value not in ("", "true", "false"):
            message = "The value of x-oss-forbid-overwrite is invalid."
            raise refusals.invalid_argument(message, ec="0017-00000279")
        return value == "true"

    def content_type(self) -> str:
        return self.header("content-type") or "application/octet-stream"


def parse_request(method: str, target: str, headers: Mapping[str, str], own_endpoint: str = "") -> OssRequest:
    """Split a raw request target.

    The bucket stands in the host's name (``bucket.oss.localhost``), or it is the path up to the
    first slash; the rest is the key, percent-decoded once. oss2 sends the key's own slashes as
    ``%2F``, signed URLs may keep them. Both mean the same key, so nothing may normalise the path.
    """
    path, _, query = target.partition("?")
    bucket, endpoint = split_host(headers.get("host", ""))
    key = path.removeprefix("/")
    if not bucket:
        bucket, _, key = path.lstrip("/").partition("/") if path.startswith("/") else ("", "", "")
    try:
        return OssRequest(
            method=method,
            bucket=unquote_to_bytes(bucket).decode("utf-8"),
            key=unquote_to_bytes(key).decode("utf-8"),
            query=dict(parse_qsl(query, keep_blank_values=True)),
            headers=headers,
            endpoint=endpoint or own_endpoint,
        )
    except UnicodeDecodeError as error:
        raise refusals.invalid_object_name() from error


def check_key(key: str) -> None:
    """Refuse what the service refuses (InvalidObjectName).

    Source: https://help.aliyun.com/document_detail/185228.htm
    """
    object_files.check_key(key)
    if key[0] in "/\\":
        raise refusals.invalid_object_name()


def split_host(host: str) -> tuple[str, str]:
    """The bucket in a ``Host`` header, if there is one, and the service's own host and port.

    The second is ``""`` if the client takes us for the cloud: it must not be sent there.
    """
    if in_cloud := REGION_HOST.fullmatch(host.lower()):
        return in_cloud[1] or "", ""
    name, _, port = host.lower().partition(":")
    for service in _SERVICE_NAMES:
        if name == service:
            break
        if name.endswith(f".{service}"):
            return name.removesuffix(f".{service}"), f"{service}:{port}" if port else service
    return "", host
