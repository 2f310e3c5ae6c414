"""One HTTP request to a service whose bucket is in the host's name; the key is the path."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, TypeVar
from urllib.parse import parse_qsl, unquote_to_bytes

from scripts.localcloud.servers.local_server import OWN_NAME
from scripts.localcloud.storage import refusals
from scripts.localcloud.storage_http.incoming.request import ObjectRequest

RequestT = TypeVar("RequestT", bound="HostedRequest")


@dataclass(frozen=True)
class HostedRequest(ObjectRequest):
    """A request to such a service; ``prefix`` begins the names of its own headers."""

    prefix: ClassVar[str]

    def own(self, name: str) -> str:
        """The value of one of the service's own headers."""
        return self.header(f"{self.prefix}{name}")

    def creates_bucket(self) -> bool:
        return self.method == "PUT" and not self.key and not self.query

    def forbids_overwrite(self) -> bool:
        value = self.own("forbid-overwrite").lower()
        if value not in ("", "true", "false"):
            raise refusals.invalid_argument(f"The value of {self.prefix}forbid-overwrite is invalid.")
        return value == "true"


@dataclass(frozen=True)
class Hosts:
    r"""The names of a service.

    Attributes:
        cloud: A pattern of its own name in the cloud: ``tos-cn-beijing\\.volces\\.com``.
        local: What may stand before ``localhost``: ``tos``.
    """

    cloud: str
    local: str

    @property
    def own_names(self) -> re.Pattern[str]:
        """The hosts that it answers as, also behind a proxy."""
        return re.compile(f"{OWN_NAME.pattern}|{self._in_cloud}(:\\d{{1,5}})?", re.ASCII | re.IGNORECASE)

    @property
    def _in_cloud(self) -> str:
        return rf"(?:(?P<bucket>[a-z0-9-]+)\.)?(?P<service>{self.cloud})"

    def parse(self, kind: type[RequestT], method: str, target: str, headers: Mapping[str, str]) -> RequestT:
        """Split a raw request target: a path, or a whole URL as a client sends it to its proxy.

        Raises:
            Refusal: The URL names another host than the header, or the key is not UTF-8.
        """
        host = headers.get("host", "")
        if found := re.match(r"https?://([^/?]*)(.*)", target, re.DOTALL):
            if found[1].lower() != host.lower():
                raise refusals.foreign_host(found[1])
            target = found[2]
        path, _, query = target.partition("?")
        bucket, endpoint = self._split(host)
        try:
            return kind(
                method=method,
                bucket=bucket,
                key=unquote_to_bytes(path.removeprefix("/")).decode("utf-8"),
                query=dict(parse_qsl(query, keep_blank_values=True)),
                headers=headers,
                endpoint=endpoint,
            )
        except UnicodeDecodeError as error:
            raise refusals.invalid_object_name() from error

    def _split(self, host: str) -> tuple[str, str]:
        """Bucket, or ``""``, and the service's own name and port."""
        name, _, port = host.lower().partition(":")
        suffix = f":{port}" if port else ""
        pattern = rf"{self._in_cloud}|(?:(?P<local>[a-z0-9-]+)\.)?(?P<own>(?:{self.local}\.)?localhost)"
        found = re.fullmatch(pattern, name)
        if not found or name == f"{self.local}.localhost":
            return "", host
        return found["bucket"] or found["local"] or "", (found["service"] or found["own"]) + suffix
