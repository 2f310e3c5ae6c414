"""The local TOS as one thing to start and stop."""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from scripts.localcloud.servers.local_server import HOST
from scripts.localcloud.storage_http.hosted.local import HostedStore
from scripts.localcloud.storage_http.hosted.service import HostedService
from scripts.localcloud.storage_http.server import StoreServer
from scripts.localcloud.tos.oddities import Oddity
from scripts.localcloud.tos.signatures import Signatures
from scripts.localcloud.tos.tos_service import TosService


class LocalTos(HostedStore[Oddity]):
    """It has two doors.

    One is plain HTTP on a free port: a client names it as its proxy and sends whole URLs to it,
    ``http://bucket.tos-cn-beijing.volces.com/key``. The other, if there is a certificate, is TLS:
    for unmodified programs on a machine where the cloud's names mean this one. The hosts of other
    regions are refused.

    Args:
        tls: The certificate of the second door.
        tls_host: A loopback address. Another service may hold the same port of another one.
        tls_port: Unmodified programs look for 443.
        further: As of every ``HostedStore``.
    """

    # The SDK's; https://www.volcengine.com/docs/6349/74866 says 4 MB.
    min_part_bytes = 5 * 1024 * 1024
    signatures = Signatures
    service = TosService

    def __init__(
        self,
        data_dir: Path,
        credentials: Mapping[str, str],
        region: str,
        *,
        tls: ssl.SSLContext | None = None,
        tls_host: str = HOST,
        tls_port: int = 443,
        **further: Any,
    ) -> None:
        super().__init__(data_dir, credentials, region, **further)
        self._tls, self._tls_host, self._tls_port = tls, tls_host, tls_port

    @property
    def endpoint(self) -> str:
        """What clients call it; it is reached through ``proxy``, or by TLS."""
        return f"tos-{self.storage.region}.volces.com"

    @property
    def proxy(self) -> str:
        """The ``address`` of the first door."""
        return self.address

    def doors(self, service: HostedService[Any]) -> Sequence[StoreServer]:
        servers = [*super().doors(service)]
        if self._tls:
            servers.append(StoreServer(service, self._tls_port, host=self._tls_host, tls=self._tls))
        return servers
