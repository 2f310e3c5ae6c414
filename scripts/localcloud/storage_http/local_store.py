"""A local service that keeps objects, as one thing to start and stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from scripts.localcloud.interruptions import Interruptions
from scripts.localcloud.storage.changes import HandChanges
from scripts.localcloud.storage.storage import Storage
from scripts.localcloud.storage_http.incoming.request_faults import Faults
from scripts.localcloud.storage_http.server import StoreServer

StoreT = TypeVar("StoreT", bound="LocalStore")


class LocalStore:
    """A storage behind its servers, whose folders are searched for changes made by hand.

    Args:
        storage: Is closed by ``stop``.
        open_servers: Makes the servers, which then listen; called by ``start``.
        scan_interval_s: How often the folders are searched. If a search takes long, they are
            searched less often, so that it takes a tenth of a core at most. Large files are read in
            between.

    Attributes:
        servers: None before ``start``.
    """

    def __init__(
        self,
        storage: Storage,
        open_servers: Callable[[], Sequence[StoreServer]],
        scan_interval_s: float,
        interruptions: Interruptions | None = None,
    ) -> None:
        self.storage = storage
        self.faults = Faults()
        self._open_servers = open_servers
        self.servers: Sequence[StoreServer] = ()
        self._hand_changes = HandChanges(storage)
        self._scan_interval_s = scan_interval_s
        self.interruptions = interruptions or Interruptions()
        self._stopping = threading.Event()
        self._scanner = threading.Thread(target=self._scan, daemon=True)

    @property
    def url(self) -> str:
        """Of the first server; known once started."""
        if not self.servers:
            raise RuntimeError("the local store is not started")
        return self.servers[0].url

    def start(self) -> None:
        self.servers = self._open_servers()
        self.storage.deliver_pending()
        for server in self.servers:
            server.interruptions = self.interruptions
            server.start()
        self._scanner.start()

    def stop(self) -> None:
        """End what was started, perhaps nothing but the storage."""
        self._stopping.set()
        for server in self.servers:
            server.stop()
        if self._scanner.ident is not None:
            self._scanner.join()
        self.storage.close()

    def __enter__(self: StoreT) -> StoreT:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _scan(self) -> None:
        next_s = 0.0

        def is_early() -> bool:
            return not self._stopping.is_set() and time.monotonic() < next_s

        while not self._stopping.wait(max(0.0, next_s - time.monotonic())):
            next_s = time.monotonic() + self._scan_interval_s
            with self.interruptions.outlived("folders"):
                looked_s = self._hand_changes.scan()
                next_s = time.monotonic() + max(self._scan_interval_s, 9 * looked_s)
                self._hand_changes.read_large(is_early)
