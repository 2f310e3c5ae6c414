"""The local TOS as one thing to start and stop."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from scripts.localcloud.local_server import HOST
from scripts.localcloud.storage.multipart import Uploads
from scripts.localcloud.storage.object_events import ObjectEvent
from scripts.localcloud.storage.storage import Storage, utc_now
from scripts.localcloud.storage_http.local_store import LocalStore
from scripts.localcloud.storage_http.permissions import Authorize, allow_everything
from scripts.localcloud.storage_http.server import StoreServer
from scripts.localcloud.tos.oddities import Oddity
from scripts.localcloud.tos.signatures import Signatures
from scripts.localcloud.tos.tos_service import TosService

# The SDK's; https://www.volcengine.com/docs/6349/74866 says 4 MB.
MIN_PART_BYTES = 5 * 1024 * 1024


class LocalTos(LocalStore):
    """A TOS region on 127.0.0.1 whose buckets are the folders of ``data_dir``.

    It has two doors. One is plain HTTP on a free port: a client names it as its proxy and sends
    whole URLs to it, ``http://bucket.tos-cn-beijing.volces.com/key``. The other, if there is a
    certificate, is TLS: for unmodified programs on a machine where the cloud's names mean this one.

    Args:
        data_dir: Is created if need be. One process at a time may use it.
        credentials: Secret by access key id. Keys may be added later.
        region: The hosts of other regions are refused.
        on_event: Called after the change is on the disk, in the thread that made it.
        port: Of the first door; 0 lets the system choose.
        tls: The certificate of the second door.
        tls_host: A loopback address. Another service may hold the same port of another one.
        tls_port: Unmodified programs look for 443.
        security_tokens: By access key id, for those keys that are temporary. May be added later.
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
        tls: ssl.SSLContext | None = None,
        tls_host: str = HOST,
        tls_port: int = 443,
        security_tokens: Mapping[str, str] = MappingProxyType({}),
        authorize: Authorize = allow_everything,
        scan_interval_s: float = 1.0,
    ) -> None:
        super().__init__(Storage(data_dir, region, on_event), self._open, scan_interval_s)
        self.oddities: set[Oddity] = set()
        self._port = port
        self._tls, self._tls_host, self._tls_port = tls, tls_host, tls_port
        self._authorize = authorize
        self._signatures = Signatures(credentials, region, utc_now, security_tokens)

    @property
    def endpoint(self) -> str:
        """What clients call it; it is reached through ``proxy``, or by TLS."""
        return f"tos-{self.storage.region}.volces.com"

    @property
    def proxy(self) -> str:
        """``host:port`` of the first door; known once started."""
        return self.url.removeprefix("http://")

    def _open(self) -> list[StoreServer]:
        uploads = Uploads(self.storage, min_part_bytes=MIN_PART_BYTES)
        service = TosService(
            self.storage, uploads, self._signatures, self.faults, self._authorize, self.oddities
        )
        servers = [StoreServer(service, self._port)]
        if self._tls:
            servers.append(StoreServer(service, self._tls_port, host=self._tls_host, tls=self._tls))
        return servers
