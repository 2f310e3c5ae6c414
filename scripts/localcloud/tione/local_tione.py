"""The local TI-ONE as one object."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from scripts.localcloud.actions.objects import Objects
from scripts.localcloud.actions.run_queue import RunQueue
from scripts.localcloud.actions.signature import AccessKey
from scripts.localcloud.answers.batch_service import BatchService
from scripts.localcloud.answers.row_run import RunContext
from scripts.localcloud.answers.upstream import Upstream
from scripts.localcloud.servers.local_server import HOST
from scripts.localcloud.servers.wsgi_server import QuietHandler, WsgiServer
from scripts.localcloud.storage.storage import Storage
from scripts.localcloud.tione.api.app import create_app
from scripts.localcloud.tione.api.service import Habit, TioneService
from scripts.localcloud.tione.model_addresses import ModelAddresses
from scripts.localcloud.tione.model_server import ModelServer
from scripts.localcloud.tione.tasks.callbacks import Callbacks
from scripts.localcloud.tione.tasks.task import Task
from scripts.localcloud.tione.tasks.task_faults import TaskFault
from scripts.localcloud.tione.tasks.task_run import Surroundings, TaskRun
from scripts.localcloud.tione.tasks.task_store import TaskStore
from shared.ports.clock import Clock


class LocalTione(BatchService[TaskFault]):
    """TI-ONE's tasks on this machine: each runs its very start command as a process.

    Every container reaches one model server of its own kind, ``model_url``, which stands in for the
    one in the user's image. A task that a stop interrupts begins afresh at the next start. What is
    not told here is as of every ``BatchService``.

    Args:
        data_dir: State is kept under ``.localcloud/tione`` in it.
        keys: The access keys that are accepted, by id. Keys may be added later.
        storage: Where tasks read and write; asked at every call.
        port: Of the interface.
        running_tasks: So many containers run at once.

    Attributes:
        habits: Habits of the service that are switched on; may be changed at any time.
    """

    def __init__(
        self,
        data_dir: Path,
        keys: Mapping[str, AccessKey],
        storage: Callable[[], Storage],
        *,
        port: int = 0,
        upstream: Upstream | None = None,
        concurrency: int = 2,
        task_delay_s: float = 0.0,
        clock: Clock | None = None,
        running_tasks: int = 4,
    ) -> None:
        super().__init__(
            TaskFault(),
            port=port,
            upstream=upstream,
            concurrency=concurrency,
            delay_s=task_delay_s,
            clock=clock,
        )
        self._directory = data_dir / ".localcloud" / "tione"
        self._keys = keys
        self._storage = storage
        self._running_tasks = running_tasks
        self._model_port = 0
        self.habits: set[Habit] = set()
        self.store: TaskStore | None = None
        self.callbacks: Callbacks | None = None

    @property
    def model_url(self) -> str:
        """Of the model server, for containers; known once the service has been started."""
        return f"http://{HOST}:{self._model_port}/v1"

    def stop(self) -> None:
        super().stop()
        if self.callbacks:
            self.callbacks.close()

    def _open(self, context: RunContext[TaskFault]) -> tuple[TaskStore, RunQueue[Task], Sequence[WsgiServer]]:
        self._directory.mkdir(parents=True, exist_ok=True)
        store = self.store = TaskStore(self._directory)
        objects = Objects(self._storage)
        model_server = ModelServer(
            self._upstream, self._concurrency, self._clock, lambda: self.faults.paused, self._model_port
        )
        self._model_port = model_server.server_port
        addresses = ModelAddresses(self._directory / "model-servers.txt", self.model_url)
        callbacks = self.callbacks = Callbacks(context.stopping)
        around = Surroundings(store, objects, model_server, addresses, callbacks, context)
        queue = RunQueue[Task](
            lambda task_id: TaskRun(task_id, around).run(),
            store.unfinished,
            lambda _: "",
            self._running_tasks,  # not taken up again: a task asks all of its rows anew
        )
        service = TioneService(
            store,
            objects,
            self.faults,
            self.habits,
            lambda: self._storage().region,
            self._clock,
            take=queue.take,
        )
        interface = WsgiServer(HOST, self._port, create_app(service, self._keys), QuietHandler)
        return store, queue, (interface, model_server)
