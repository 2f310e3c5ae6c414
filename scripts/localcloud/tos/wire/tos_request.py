"""One HTTP request to the local TOS."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from scripts.localcloud.storage_http.hosted.request import HostedRequest, Hosts

# In place of the hash of a body that is not signed.
UNSIGNED = "UNSIGNED-PAYLOAD"


@dataclass(frozen=True)
class TosRequest(HostedRequest):
    """A request to TOS."""

    prefix: ClassVar[str] = "x-tos-"

    def forbids_overwrite(self) -> bool:
        """By either header: another public client sends ``If-None-Match`` with a put."""
        return self.header("if-none-match").strip() == "*" or super().forbids_overwrite()


def hosts_of(region: str) -> Hosts:
    return Hosts(rf"tos-{re.escape(region)}\.i?volces\.com", "tos")
