"""The local COS as one thing to start and stop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from scripts.localcloud.cos.cos_service import CosService
from scripts.localcloud.cos.oddities import Oddity
from scripts.localcloud.cos.signatures import Signatures
from scripts.localcloud.storage.multipart import Uploads
from scripts.localcloud.storage.object_events import ObjectEvent
from scripts.localcloud.storage.storage import Storage, utc_now
from scripts.localcloud.storage_http.local_store import LocalStore
from scripts.localcloud.storage_http.permissions import Authorize, allow_everything
from scripts.localcloud.storage_http.server import StoreServer

# The SDK's; https://cloud.tencent.com/document/product/436/7750
MIN_PART_BYTES = 1024 * 1024


class LocalCos(LocalStore):
    """A COS region on 127.0.0.1 whose buckets are the folders of ``data_dir``.

    A client sends ``Host: bucket.cos.ap-shanghai.myqcloud.com`` to its ``address``.

    Args:
        data_dir: Is created if need be. One process at a time may use it.
        credentials: Secret by secret id. Keys may be added later.
        region: A bucket is not found by the host name of another one.
        on_event: Called after the change is on the disk, in the thread that made it.
        port: 0 lets the system choose.
        security_tokens: By secret id, for those keys that are temporary. May be added later.
        authorize: Whether a key's owner may do something; without it, everyone may do everything.
        scan_interval_s: How often the folders are searched for changes made by hand.

    Attributes:
        oddities: Habits of the service that are switched on; may be changed at any time.
    """

    def __init__(
        self,
        data_dir: Path,
        credentials: Mapping[str, str],
        region: str,
        on_event: Callable[[ObjectEvent], None] = lambda _: None,
        *,
        port: int = 0,
        security_tokens: Mapping[str, str] = MappingProxyType({}),
        authorize: Authorize = allow_everything,
        scan_interval_s: float = 1.0,
    ) -> None:
        super().__init__(Storage(data_dir, region, on_event), self._open, scan_interval_s)
        self.oddities: set[Oddity] = set()
        self._port = port
        self._authorize = authorize
        self._signatures = Signatures(credentials, region, utc_now, security_tokens)

    @property
    def address(self) -> str:
        """``host:port``; known once started."""
        return self.url.removeprefix("http://")

    def _open(self) -> list[StoreServer]:
        uploads = Uploads(self.storage, min_part_bytes=MIN_PART_BYTES)
        service = CosService(
            self.storage, uploads, self._signatures, self.faults, self._authorize, self.oddities
        )
        return [StoreServer(service, self._port)]
