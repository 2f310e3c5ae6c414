"""The local Ark as one object: a real HTTP server on 127.0.0.1 with its worker threads."""

from __future__ import annotations

import re
import ssl
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

from flask import Flask

from scripts.localcloud.answers.answering import Answering
from scripts.localcloud.answers.faults import Faults
from scripts.localcloud.answers.row_run import RunContext
from scripts.localcloud.answers.upstream import Upstream
from scripts.localcloud.ark.api.app import create_app
from scripts.localcloud.ark.api.service import ArkService, ProjectLimits
from scripts.localcloud.ark.api.signature import AccessKey
from scripts.localcloud.ark.jobs.job_faults import JobFault
from scripts.localcloud.ark.jobs.job_queue import JobQueue
from scripts.localcloud.ark.jobs.job_store import JobStore
from scripts.localcloud.ark.jobs.objects import Objects
from scripts.localcloud.local_server import HOST, OWN_NAME
from scripts.localcloud.storage.storage import Storage
from scripts.localcloud.wsgi_server import QuietHandler, WsgiServer
from shared.ports.clock import Clock
from shared.runtime.system_clock import SystemClock

# What unmodified programs call it; no stranger can make these mean this machine.
_HOSTS = r"(open\.volcengineapi\.com|ark\.cn-beijing\.volcengineapi\.com)(:\d{1,5})?"


class LocalArk:
    """Ark's batch inference on this machine; unfinished jobs go on after a restart.

    It has two doors. One is plain HTTP on a free port. The other, if there is a certificate, is
    TLS: for unmodified programs on a machine where Ark's names mean this one.

    Args:
        data_dir: State is kept under ``.localcloud/ark`` in it.
        keys: The access keys that are accepted, by id. Keys may be added later.
        storage: Where jobs read and write; asked at every call.
        port: Of the first door. 0 lets the system choose; a service that is started again keeps it.
        tls: The certificate of the second door.
        tls_host: A loopback address. Another service may hold the same port of another one.
        tls_port: Unmodified programs look for 443.
        upstream: What answers the rows; without one, built-in answers do.
        concurrency: How many rows the upstream gets at once.
        job_delay_s: How long a job takes at least.
        clock: For all times but the pace; a job whose window has passed expires.
        limits: The quotas of each project.

    Attributes:
        faults: What goes wrong with the next jobs and calls.
    """

    def __init__(
        self,
        data_dir: Path,
        keys: Mapping[str, AccessKey],
        storage: Callable[[], Storage],
        *,
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        tls_host: str = HOST,
        tls_port: int = 443,
        upstream: Upstream | None = None,
        concurrency: int = 2,
        job_delay_s: float = 0.0,
        clock: Clock | None = None,
        limits: ProjectLimits | None = None,
    ) -> None:
        self.faults = Faults(JobFault())
        self._directory = data_dir / ".localcloud" / "ark"
        self._keys = keys
        self._objects = Objects(storage)
        self._port = port
        self._tls, self._tls_host, self._tls_port = tls, tls_host, tls_port
        self._upstream = upstream
        self._concurrency = concurrency
        self._job_delay_s = job_delay_s
        self._clock = clock or SystemClock()
        self._limits = limits or ProjectLimits()
        self._running: ExitStack | None = None
        self.queue: JobQueue | None = None
        self.store: JobStore | None = None

    @property
    def tls_url(self) -> str:
        """The second door; known once the service has been started."""
        return f"https://{self._tls_host}:{self._tls_port}"

    @property
    def url(self) -> str:
        """What ``open_ark`` takes as ``host``; known once the service has been started."""
        if not self._port:
            raise RuntimeError("The local Ark has not been started yet")
        return f"http://{HOST}:{self._port}"

    def start(self) -> None:
        """Answer requests from now on, and go on with unfinished jobs.

        Raises:
            PortTaken: By another program.
        """
        if self._running:
            return
        stopping = threading.Event()
        self._directory.mkdir(parents=True, exist_ok=True)
        store = self.store = JobStore(self._directory)
        answering = Answering(self._upstream, self._concurrency, self._clock)
        context = RunContext(self.faults, answering, self._clock, stopping, self._job_delay_s)
        queue = self.queue = JobQueue(store, self._objects, context, self._limits.running_jobs)
        service = ArkService(
            store,
            self._objects,
            self.faults,
            self._limits,
            self._clock,
            take=queue.take,
            waits_for=answering.waits_for,
        )
        servers = self._open_doors(create_app(service, self._keys))
        self._running = ExitStack()
        stop_servers = (server.stop for server in servers)
        for end in (store.close, answering.close, queue.stop, stopping.set, *stop_servers):
            self._running.callback(end)
        queue.start()
        for server in servers:
            server.start()

    def stop(self) -> None:
        """End every thread and close every file; what is unfinished waits for the next start."""
        if self._running:
            self._running.close()
            self._running = None

    def _open_doors(self, app: Flask) -> list[_Server]:
        servers = [_Server(HOST, self._port, app, QuietHandler)]
        self._port = servers[0].server_port
        if self._tls:
            server = _Server(self._tls_host, self._tls_port, app, QuietHandler)
            server.speak_tls(self._tls)
            self._tls_port = server.server_port
            servers.append(server)
        return servers

    def __enter__(self) -> LocalArk:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class _Server(WsgiServer):
    own_name = re.compile(f"{OWN_NAME.pattern}|{_HOSTS}", OWN_NAME.flags)
