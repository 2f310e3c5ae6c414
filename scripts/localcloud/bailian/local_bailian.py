"""The local Bailian as one object."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from scripts.localcloud.answers.batch_service import BatchService
from scripts.localcloud.answers.row_run import RunContext
from scripts.localcloud.answers.upstream import Upstream
from scripts.localcloud.bailian.api.bailian_app import BASE_PATH, create_app
from scripts.localcloud.bailian.api.oss_input import OssInput
from scripts.localcloud.bailian.batches.batch_worker import OnFinished, Worker
from scripts.localcloud.bailian.database import Database
from scripts.localcloud.bailian.limits import AccountLimits
from scripts.localcloud.bailian.service_faults import BatchFault
from scripts.localcloud.servers.local_server import HOST
from scripts.localcloud.servers.wsgi_server import QuietHandler, WsgiServer
from shared.ports.clock import Clock


class LocalBailian(BatchService[BatchFault]):
    """Bailian on this machine: files, batches, which go on after a restart, and single requests.

    What is not told here is as of every ``BatchService``.

    Args:
        data_dir: State is kept under ``.localcloud/bailian`` in it.
        api_key: The only key that is accepted.
        on_finished: Told once about every batch that has ended, in a thread of its own.
        limits: The account's quotas and rates.
        oss: What reads input that lies in OSS; without it, only uploaded files are input.
    """

    def __init__(
        self,
        data_dir: Path,
        api_key: str,
        *,
        port: int = 0,
        upstream: Upstream | None = None,
        concurrency: int = 2,
        batch_delay_s: float = 0.0,
        clock: Clock | None = None,
        on_finished: OnFinished | None = None,
        limits: AccountLimits | None = None,
        oss: OssInput | None = None,
    ) -> None:
        super().__init__(
            BatchFault(),
            port=port,
            upstream=upstream,
            concurrency=concurrency,
            delay_s=batch_delay_s,
            clock=clock,
        )
        self._directory = data_dir / ".localcloud" / "bailian"
        self._api_key = api_key
        self._on_finished = on_finished
        self._limits = limits or AccountLimits()
        self._oss = oss

    @property
    def base_url(self) -> str:
        """What an OpenAI SDK takes as ``base_url``; known once the service has been started."""
        return self.url + BASE_PATH

    def _open(self, context: RunContext[BatchFault]) -> tuple[Database, Worker, Sequence[WsgiServer]]:
        database = Database(self._directory)
        worker = Worker(database, context, self._on_finished)
        app = create_app(
            database,
            api_key=self._api_key,
            faults=self.faults,
            limits=self._limits,
            clock=self._clock,
            take=worker.take,
            answering=context.answering,
            oss=self._oss,
        )
        return database, worker, [WsgiServer(HOST, self._port, app, QuietHandler)]
