"""One HTTP request to the local COS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from scripts.localcloud.storage import refusals
from scripts.localcloud.storage.object_files import check_key as check_any_key
from scripts.localcloud.storage_http.hosted.request import HostedRequest, Hosts

# https://cloud.tencent.com/document/product/436/13324
MAX_KEY_BYTES = 850
# Of every region: a bucket of another one is not found.
HOSTS = Hosts(r"cos\.[a-z0-9-]+\.(?:myqcloud\.com|tencentcos\.cn)", "cos")


@dataclass(frozen=True)
class CosRequest(HostedRequest):
    """A request to COS."""

    prefix: ClassVar[str] = "x-cos-"

    def forbids_overwrite(self) -> bool:
        if self.header("if-none-match"):  # no page says what COS does with it
            raise refusals.not_implemented("If-None-Match with a write")
        return super().forbids_overwrite()

    def is_to(self, region: str) -> bool:
        return self.endpoint.startswith((f"cos.{region}.", "localhost", "cos.localhost"))


def check_key(key: str) -> None:
    check_any_key(key)
    if len(key.encode()) > MAX_KEY_BYTES:
        raise refusals.Refusal(400, "KeyTooLong", "The specified key is too long.")
