"""A local service whose buckets stand in the host's name, as one thing to start and stop."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Generic, TypeVar

from scripts.localcloud.storage.multipart import Uploads
from scripts.localcloud.storage.object_events import ObjectEvent
from scripts.localcloud.storage.storage import Storage, utc_now
from scripts.localcloud.storage_http.hosted.service import HostedService, Signatures
from scripts.localcloud.storage_http.local_store import LocalStore
from scripts.localcloud.storage_http.permissions import Authorize, allow_everything
from scripts.localcloud.storage_http.server import StoreServer

OddityT = TypeVar("OddityT", bound=Enum)


class HostedStore(LocalStore, Generic[OddityT]):
    """A region on 127.0.0.1 whose buckets are the folders of ``data_dir``.

    Args:
        data_dir: Is created if need be. One process at a time may use it.
        credentials: Secret by access key id. Keys may be added later.
        region: Its name is in the hosts of the buckets.
        on_event: Called after the change is on the disk, in the thread that made it.
        port: Of plain HTTP; 0 lets the system choose.
        security_tokens: By access key id, for those keys that are temporary. May be added later.
        authorize: Whether a key's owner may do something; without it, everyone may do everything.
        scan_interval_s: How often the folders are searched for changes made by hand.

    Attributes:
        oddities: Habits of the service that are switched on; may be changed at any time.
    """

    min_part_bytes: ClassVar[int]
    signatures: ClassVar[Callable[..., Signatures[Any]]]
    service: ClassVar[Callable[..., HostedService[Any]]]

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
        self.oddities: set[OddityT] = set()
        self._port = port
        self._authorize = authorize
        self._signatures = self.signatures(credentials, region, utc_now, security_tokens)

    @property
    def address(self) -> str:
        """``host:port`` of plain HTTP; known once started."""
        return self.url.removeprefix("http://")

    def doors(self, service: HostedService[Any]) -> Sequence[StoreServer]:
        """The servers in front of it."""
        return [StoreServer(service, self._port)]

    def _open(self) -> Sequence[StoreServer]:
        uploads = Uploads(self.storage, min_part_bytes=self.min_part_bytes)
        service = self.service(
            self.storage, uploads, self._signatures, self.faults, self._authorize, self.oddities
        )
        return self.doors(service)
