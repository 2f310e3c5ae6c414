"""The local Ark as one object."""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from flask import Flask

from scripts.localcloud.actions.objects import Objects
from scripts.localcloud.actions.run_queue import RunQueue
from scripts.localcloud.actions.signature import AccessKey
from scripts.localcloud.answers.batch_service import BatchService
from scripts.localcloud.answers.row_run import RunContext
from scripts.localcloud.answers.upstream import Upstream
from scripts.localcloud.ark.api.app import create_app
from scripts.localcloud.ark.api.real_time_api import BASE_PATH, real_time_blueprint
from scripts.localcloud.ark.api.service import ArkService, ProjectLimits
from scripts.localcloud.ark.jobs.job import Job
from scripts.localcloud.ark.jobs.job_faults import JobFault
from scripts.localcloud.ark.jobs.job_run import JobRun
from scripts.localcloud.ark.jobs.job_store import JobStore
from scripts.localcloud.servers.local_server import HOST, OWN_NAME
from scripts.localcloud.servers.wsgi_server import QuietHandler, WsgiServer
from scripts.localcloud.storage.storage import Storage
from shared.ports.clock import Clock

# What unmodified programs call it; no stranger can make these mean this machine.
_HOSTS = r"(open\.volcengineapi\.com|ark\.cn-beijing\.volcengineapi\.com)(:\d{1,5})?"


class LocalArk(BatchService[JobFault]):
    """Ark's batch inference on this machine; unfinished jobs go on after a restart.

    It has two doors. One is plain HTTP on a free port. The other, if there is a certificate, is
    TLS: for unmodified programs on a machine where Ark's names mean this one. What is not told here
    is as of every ``BatchService``.

    Args:
        data_dir: State is kept under ``.localcloud/ark`` in it.
        keys: The access keys that are accepted, by id. Keys may be added later.
        storage: Where jobs read and write; asked at every call.
        port: Of the first door.
        tls: The certificate of the second door.
        tls_host: A loopback address. Another service may hold the same port of another one.
        tls_port: Unmodified programs look for 443.
        limits: The quotas of each project.
        api_key: What opens single requests; without one, nothing does.
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
        api_key: str = "",
    ) -> None:
        super().__init__(
            JobFault(),
            port=port,
            upstream=upstream,
            concurrency=concurrency,
            delay_s=job_delay_s,
            clock=clock,
        )
        self._directory = data_dir / ".localcloud" / "ark"
        self._keys = keys
        self._objects = Objects(storage)
        self._tls, self._tls_host, self._tls_port = tls, tls_host, tls_port
        self._limits = limits or ProjectLimits()
        self._api_key = api_key
        self.queue: RunQueue[Job] | None = None
        self.store: JobStore | None = None

    @property
    def base_url(self) -> str:
        """Of single requests; known once the service has been started."""
        return f"{self.url}{BASE_PATH}"

    @property
    def tls_url(self) -> str:
        """The second door; known once the service has been started."""
        return f"https://{self._tls_host}:{self._tls_port}"

    def _open(self, context: RunContext[JobFault]) -> tuple[JobStore, RunQueue[Job], Sequence[WsgiServer]]:
        self._directory.mkdir(parents=True, exist_ok=True)
        store = self.store = JobStore(self._directory)
        queue = self.queue = RunQueue[Job](
            lambda job_id: JobRun(job_id, store, self._objects, context).run(),
            store.unfinished,
            lambda job: job.project_name,
            self._limits.running_jobs,
            context,
        )
        service = ArkService(
            store,
            self._objects,
            self.faults,
            self._limits,
            self._clock,
            take=queue.take,
            waits_for=context.answering.waits_for,
        )
        app = create_app(service, self._keys)
        real_time = real_time_blueprint(context.answering, self.faults, self._api_key)
        app.register_blueprint(real_time, url_prefix=BASE_PATH)
        return store, queue, self._open_doors(app)

    def _open_doors(self, app: Flask) -> list[_Server]:
        servers = [_Server(HOST, self._port, app, QuietHandler)]
        if self._tls:
            server = _Server(self._tls_host, self._tls_port, app, QuietHandler)
            server.speak_tls(self._tls)
            self._tls_port = server.server_port
            servers.append(server)
        return servers


class _Server(WsgiServer):
    own_name = re.compile(f"{OWN_NAME.pattern}|{_HOSTS}", OWN_NAME.flags)
