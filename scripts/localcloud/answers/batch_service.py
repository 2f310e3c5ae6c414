"""What every service that has rows answered is: a server on 127.0.0.1 and its worker threads."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any, Generic, Protocol, TypeVar

from scripts.localcloud.answers.answering import Answering
from scripts.localcloud.answers.faults import Faults, Struck
from scripts.localcloud.answers.row_run import RunContext
from scripts.localcloud.answers.upstream import Upstream
from scripts.localcloud.interruptions import Interruptions
from scripts.localcloud.servers.local_server import HOST
from scripts.localcloud.servers.wsgi_server import WsgiServer
from scripts.localcloud.sqlite_file import SqliteMemory
from shared.ports.clock import Clock
from shared.runtime.system_clock import SystemClock

ServiceT = TypeVar("ServiceT", bound="BatchService[Any]")


class Workers(Protocol):
    """The threads that move batches on."""

    def start(self) -> None:
        """Go on with every batch that a stop has interrupted."""

    def stop(self) -> None: ...


class BatchService(ABC, Generic[Struck]):
    """It answers from ``start`` to ``stop``; what is unfinished goes on at the next start.

    Args:
        none: The fault that does nothing.
        port: 0 lets the system choose; a service that is started again keeps its port.
        upstream: What answers the rows; without one, built-in answers do.
        concurrency: How many rows the upstream gets at once.
        delay_s: How long a batch takes at least.
        clock: For all times but the pace; a batch whose window has passed expires.

    Attributes:
        faults: What goes wrong with the next batches and calls.
        interruptions: What cannot go on; set before ``start`` if it is others', too.
    """

    def __init__(
        self,
        none: Struck,
        *,
        port: int,
        upstream: Upstream | None,
        concurrency: int,
        delay_s: float,
        clock: Clock | None,
    ) -> None:
        self.faults = Faults(none)
        self.interruptions = Interruptions()
        self._port = port
        self._upstream = upstream
        self._concurrency = concurrency
        self._delay_s = delay_s
        self._clock = clock or SystemClock()
        self._running: ExitStack | None = None
        self._answering: Answering | None = None

    @property
    def url(self) -> str:
        """Of its first server; known once the service has been started."""
        if not self._port:
            raise RuntimeError(f"{type(self).__name__} has not been started yet")
        return f"http://{HOST}:{self._port}"

    def start(self) -> None:
        """Answer requests from now on, and go on with unfinished batches.

        Raises:
            PortTaken: By another program.
        """
        if self._running:
            return
        stopping = threading.Event()
        answering = self._answering = Answering(self._upstream, self._concurrency, self._clock)
        context = RunContext(self.faults, answering, self._clock, stopping, self._delay_s, self.interruptions)
        memory, workers, servers = self._open(context)
        self._port = servers[0].server_port
        self._running = ExitStack()
        stop_servers = (server.stop for server in servers)
        for end in (memory.close, answering.close, workers.stop, stopping.set, *stop_servers):
            self._running.callback(end)
        for each in (workers, *servers):
            each.start()

    def stop(self) -> None:
        """End every thread and close every file; what is unfinished waits for the next start.

        Nothing more is asked of an upstream; the replies that are under way are kept, if they come
        soon, so that nobody pays for them again.
        """
        if self._running:
            self._running.close()
            self._running = None

    @property
    def calls_under_way(self) -> int:
        """How many rows an upstream is answering."""
        return self._answering.under_way if self._answering else 0

    def hurry(self) -> None:
        """Let ``stop`` wait for no reply; safe to call from a signal's handler."""
        if self._answering:
            self._answering.hurry()

    @abstractmethod
    def _open(self, context: RunContext[Struck]) -> tuple[SqliteMemory, Workers, Sequence[WsgiServer]]:
        """What it is made of; the servers listen already."""

    def __enter__(self: ServiceT) -> ServiceT:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
