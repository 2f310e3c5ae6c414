"""The local OSS as one thing to start and stop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from scripts.localcloud.interruptions import Interruptions
from scripts.localcloud.oss.auth.signed_requests import Signatures
from scripts.localcloud.oss.oss_service import OssService
from scripts.localcloud.storage.multipart import Uploads
from scripts.localcloud.storage.object_events import ObjectEvent
from scripts.localcloud.storage.storage import Storage, utc_now
from scripts.localcloud.storage_http.local_store import LocalStore
from scripts.localcloud.storage_http.permissions import Authorize, allow_everything
from scripts.localcloud.storage_http.server import StoreServer

# https://help.aliyun.com/en/oss/user-guide/multipart-upload
MIN_PART_BYTES = 100 * 1024


class LocalOss(LocalStore):
    """An OSS region on 127.0.0.1 whose buckets are the folders of ``data_dir``.

    Args:
        data_dir: Is created if need be. One process at a time may use it.
        credentials: Secret by access key id. Keys may be added later.
        on_event: Called after the change is on the disk, in the thread that made it, at least once
            per change. Must return soon and not raise.
        port: 0 lets the system choose.
        security_tokens: By access key id, for those keys that are temporary. May be added later.
        authorize: Whether a key's owner may do something; without it, everyone may do everything.
        scan_interval_s: How often the folders are searched for changes made by hand.
        now: The time of objects and events. Signatures are checked by the real clock, since oss2
            signs with it.
    """

    def __init__(
        self,
        data_dir: Path,
        credentials: Mapping[str, str],
        region: str,
        on_event: Callable[[ObjectEvent], None],
        *,
        port: int = 0,
        security_tokens: Mapping[str, str] = MappingProxyType({}),
        authorize: Authorize = allow_everything,
        scan_interval_s: float = 1.0,
        now: Callable[[], datetime] = utc_now,
        interruptions: Interruptions | None = None,
    ) -> None:
        storage = Storage(data_dir, region, on_event, now)
        super().__init__(storage, self._open, scan_interval_s, interruptions)
        self._port = port
        self._authorize = authorize
        self._signatures = Signatures(credentials, region, utc_now, security_tokens)

    def _open(self) -> list[StoreServer]:
        uploads = Uploads(self.storage, min_part_bytes=MIN_PART_BYTES)
        service = OssService(self.storage, uploads, self._signatures, self.faults, self._authorize)
        return [StoreServer(service, self._port)]
