"""The local OSS as one thing to start and stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from scripts.localcloud.oss.auth.permissions import Authorize, allow_everything
from scripts.localcloud.oss.auth.signed_requests import Signatures
from scripts.localcloud.oss.request_faults import Faults
from scripts.localcloud.oss.storage.changes import HandChanges
from scripts.localcloud.oss.storage.multipart import Uploads
from scripts.localcloud.oss.storage.object_events import ObjectEvent
from scripts.localcloud.oss.storage.storage import Storage, utc_now
from scripts.localcloud.oss.wire.oss_server import OssServer, Service


class LocalOss:
    """An OSS region on 127.0.0.1 whose buckets are the folders of ``data_dir``.

    Args:
        data_dir: Is created if need be. One process at a time may use it.
        credentials: Secret by access key id. Keys may be added later.
        on_event: Called after the change is on the disk, in the thread that made it, at least once
            per change. Must return soon and not raise.
        port: 0 lets the system choose.
        security_tokens: By access key id, for those keys that are temporary. May be added later.
        authorize: Whether a key's owner may do something; without it, everyone may do everything.
        scan_interval_s: How often the folders are searched for changes made by hand. If a search
            takes long, they are searched less often, so that it takes a tenth of a core at most.
            Large files are read in between.
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
    ) -> None:
        self.storage = Storage(data_dir, region, on_event, now)
        self._hand_changes = HandChanges(self.storage)
        self.faults = Faults()
        self._port = port
        self._scan_interval_s = scan_interval_s
        self._authorize = authorize
        self._signatures = Signatures(credentials, region, utc_now, security_tokens)
        self._server: OssServer | None = None
        self._stopping = threading.Event()
        self._scanner = threading.Thread(target=self._scan, daemon=True)

    @property
    def url(self) -> str:
        """The endpoint for oss2; known once started."""
        if self._server is None:
            raise RuntimeError("the local OSS is not started")
        return self._server.url

    def start(self) -> None:
        uploads = Uploads(self.storage)
        service = Service(self.storage, uploads, self._signatures, self.faults, self._authorize)
        self._server = OssServer(self._port, service)
        self.storage.deliver_pending()
        self._server.start()
        self._scanner.start()

    def stop(self) -> None:
        """End what was started, perhaps nothing but the storage."""
        self._stopping.set()
        if self._server:
            self._server.stop()
        if self._scanner.ident is not None:
            self._scanner.join()
        self.storage.close()

    def __enter__(self) -> LocalOss:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _scan(self) -> None:
        next_s = 0.0

        def is_early() -> bool:
            return not self._stopping.is_set() and time.monotonic() < next_s

        while not self._stopping.wait(max(0.0, next_s - time.monotonic())):
            looked_s = self._hand_changes.scan()
            next_s = time.monotonic() + max(self._scan_interval_s, 9 * looked_s)
            self._hand_changes.read_large(is_early)
