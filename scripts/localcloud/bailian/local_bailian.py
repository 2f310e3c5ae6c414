"""The local Bailian as one object: a real HTTP server on 127.0.0.1 with its worker threads."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from pathlib import Path

from scripts.localcloud.answers.answering import Answering
from scripts.localcloud.answers.faults import Faults
from scripts.localcloud.answers.row_run import RunContext
from scripts.localcloud.answers.upstream import Upstream
from scripts.localcloud.bailian.api.bailian_app import BASE_PATH, create_app
from scripts.localcloud.bailian.api.oss_input import OssInput
from scripts.localcloud.bailian.batches.batch_worker import OnFinished, Worker
from scripts.localcloud.bailian.database import Database
from scripts.localcloud.bailian.limits import AccountLimits
from scripts.localcloud.bailian.service_faults import BatchFault
from scripts.localcloud.local_server import HOST
from scripts.localcloud.wsgi_server import QuietHandler, WsgiServer
from shared.ports.clock import Clock
from shared.runtime.system_clock import SystemClock


class LocalBailian:
    """Bailian's file and batch API on this machine; unfinished batches go on after a restart.

    Args:
        data_dir: State is kept under ``.localcloud/bailian`` in it.
        api_key: The only key that is accepted.
        port: 0 lets the system choose; a service that is started again keeps its port.
        upstream: An OpenAI-compatible server that answers the rows; without one, built-in answers
            do.
        upstream_api_key: For the upstream.
        upstream_model: Sent to the upstream instead of the rows' own model.
        upstream_first_pause_s: The pause before the second try at an upstream that does not answer;
            it doubles every time, up to twenty times as much.
        upstream_timeout_s: How long the upstream may be silent in one call.
        concurrency: How many rows the upstream gets at once.
        batch_delay_s: How long a batch takes at least.
        on_finished: Told once about every batch that has ended, in a thread of its own.
        clock: For all times but the pace; a batch whose window has passed expires.
        limits: The account's quotas and rates.
        oss: What reads input that lies in OSS; without it, only uploaded files are input.
    """

    def __init__(
        self,
        data_dir: Path,
        api_key: str,
        *,
        port: int = 0,
        upstream: str | None = None,
        upstream_api_key: str | None = None,
        upstream_model: str | None = None,
        upstream_first_pause_s: float = 0.5,
        upstream_timeout_s: float = 600.0,
        concurrency: int = 2,
        batch_delay_s: float = 0.0,
        on_finished: OnFinished | None = None,
        clock: Clock | None = None,
        limits: AccountLimits | None = None,
        oss: OssInput | None = None,
    ) -> None:
        self.faults = Faults(BatchFault())
        self._directory = data_dir / ".localcloud" / "bailian"
        self._api_key = api_key
        self._port = port
        self._upstream = (
            Upstream(upstream, upstream_api_key, upstream_model, upstream_first_pause_s, upstream_timeout_s)
            if upstream
            else None
        )
        self._concurrency = concurrency
        self._batch_delay_s = batch_delay_s
        self._on_finished = on_finished
        self._clock = clock or SystemClock()
        self._limits = limits or AccountLimits()
        self._oss = oss
        self._running: ExitStack | None = None

    @property
    def base_url(self) -> str:
        """What an OpenAI SDK takes as ``base_url``; known once the service has been started."""
        if not self._port:
            raise RuntimeError("The local Bailian has not been started yet")
        return f"http://{HOST}:{self._port}{BASE_PATH}"

    def start(self) -> None:
        """Answer requests from now on, and go on with unfinished batches.

        Raises:
            PortTaken: By another program.
        """
        if self._running:
            return
        stopping = threading.Event()
        database = Database(self._directory)
        answering = Answering(self._upstream, self._concurrency, self._clock)
        context = RunContext(self.faults, answering, self._clock, stopping, self._batch_delay_s)
        worker = Worker(database, context, self._on_finished)
        app = create_app(
            database,
            api_key=self._api_key,
            faults=self.faults,
            limits=self._limits,
            clock=self._clock,
            take=worker.take,
            waits_for=answering.waits_for,
            oss=self._oss,
        )
        server = WsgiServer(HOST, self._port, app, QuietHandler)
        self._port = server.server_port
        self._running = ExitStack()
        for end in (database.close, answering.close, worker.stop, stopping.set, server.stop):
            self._running.callback(end)
        worker.start()
        server.start()

    def stop(self) -> None:
        """End every thread and close every file; what is unfinished waits for the next start."""
        if self._running:
            self._running.close()
            self._running = None

    def __enter__(self) -> LocalBailian:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
