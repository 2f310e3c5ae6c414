"""One HTTP request to the local TOS: the bucket is in the host's name, the key is the path."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote_to_bytes

from scripts.localcloud.local_server import OWN_NAME
from scripts.localcloud.storage import refusals
from scripts.localcloud.storage_http.request import ObjectRequest
from scripts.localcloud.tos import tos_refusals

# In place of the hash of a body that is not signed.
UNSIGNED = "UNSIGNED-PAYLOAD"


@dataclass(frozen=True)
class TosRequest(ObjectRequest):
    """A request to TOS."""

    def forbids_overwrite(self) -> bool:
        """By either header: another public client sends ``If-None-Match`` with a put."""
        if self.header("if-none-match").strip() == "*":
            return True
        value = self.header("x-tos-forbid-overwrite").lower()
        if value not in ("", "true", "false"):
            raise refusals.invalid_argument("The value of x-tos-forbid-overwrite is invalid.")
        return value == "true"


def own_names(region: str) -> re.Pattern[str]:
    """The hosts that the local TOS of a region answers as, also behind a proxy."""
    return re.compile(f"{OWN_NAME.pattern}|{_host(region)}(:\\d{{1,5}})?", re.ASCII | re.IGNORECASE)


def parse_request(method: str, target: str, headers: Mapping[str, str], region: str) -> TosRequest:
    """Split a raw request target: a path, or a whole URL as a client sends it to its proxy.

    Raises:
        Refusal: The URL names another host than the header, or the key is not UTF-8.
    """
    host = headers.get("host", "")
    if found := re.match(r"https?://([^/?]*)(.*)", target, re.DOTALL):
        if found[1].lower() != host.lower():
            raise tos_refusals.foreign_host(found[1])
        target = found[2]
    path, _, query = target.partition("?")
    bucket, endpoint = _split_host(host, region)
    try:
        return TosRequest(
            method=method,
            bucket=bucket,
            key=unquote_to_bytes(path.removeprefix("/")).decode("utf-8"),
            query=dict(parse_qsl(query, keep_blank_values=True)),
            headers=headers,
            endpoint=endpoint,
        )
    except UnicodeDecodeError as error:
        raise refusals.invalid_object_name() from error


def _host(region: str) -> str:
    return rf"(?:(?P<bucket>[a-z0-9-]+)\.)?(?P<service>tos-{re.escape(region)}\.i?volces\.com)"


def _split_host(host: str, region: str) -> tuple[str, str]:
    """Bucket, or ``""``, and the service's own name and port."""
    name, _, port = host.lower().partition(":")
    suffix = f":{port}" if port else ""
    pattern = rf"{_host(region)}|(?:(?P<local>[a-z0-9-]+)\.)?(?P<own>(?:tos\.)?localhost)"
    found = re.fullmatch(pattern, name)
    if not found or name == "tos.localhost":
        return "", host
    return found["bucket"] or found["local"] or "", (found["service"] or found["own"]) + suffix
