"""A function's instances: one request at a time each, killed at its time-out or memory limit."""

from __future__ import annotations

import atexit
import http.client
import json
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace

from scripts.localcloud.fc.workers.fork_server import SHARED, can_fork
from scripts.localcloud.fc.workers.http import HttpResponse, error_type_of, send
from scripts.localcloud.fc.workers.limits import Limits
from scripts.localcloud.fc.workers.process import WorkerFailed, WorkerProcess, WorkerSpec
from shared.runtime.custom.http_server import Request


@dataclass(frozen=True)
class InvocationResult:
    """How one invocation ended.

    ``error_type`` is ``None`` after success; ``status`` is what Invoke would answer.
    """

    status: int
    body: bytes
    error_type: str | None


class WorkerPool:
    """Up to ``size`` instances of one function. Thread-safe; nothing outlives ``stop``."""

    def __init__(self, spec: WorkerSpec, *, size: int = 2, start_timeout_s: float = 120.0) -> None:
        self.spec = spec
        self._size = size
        self._start_timeout_s = start_timeout_s
        self._changed = threading.Condition()
        self._idle: list[WorkerProcess] = []
        self._workers: set[WorkerProcess] = set()
        self._slots_taken = 0
        self._stopped = False
        self._retired = False
        self._forks = SHARED.borrow() if not spec.command and can_fork() else None
        # One thread for as long as the pool lives: the kernel kills workers with their starter.
        self._starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"start-{spec.function}")
        spec.log_path.parent.mkdir(parents=True, exist_ok=True)
        atexit.register(self.stop)

    def invoke(self, event: bytes, request_id: str) -> InvocationResult:
        """Run the function on an event. Never raises: every error is the invocation's."""
        headers = [
            ("Content-Type", "application/octet-stream"),
            *self.spec.invocation_headers(request_id, "/invoke"),
        ]
        try:
            response = self._exchange(Request("POST", "/invoke", headers, event))
        except WorkerFailed as failure:
            body = json.dumps({"errorMessage": str(failure), "errorType": failure.error_type}).encode()
            return InvocationResult(200, body, failure.error_type)
        return InvocationResult(200, response.body, error_type_of(response))

    def http(self, request: Request, request_id: str) -> HttpResponse:
        """Pass an HTTP trigger's request through.

        Raises:
            WorkerFailed: There is no answer to pass back.
        """
        own = self.spec.invocation_headers(request_id, "/http-invoke")
        return self._exchange(replace(request, headers=[*request.headers, *own]))

    def retire(self) -> None:
        """Let each instance finish its request and go, as after a change of the function's code."""
        with self._changed:
            self._retired = True
            idle, self._idle = self._idle, []
        for worker in idle:
            self._discard(worker)

    def stop(self) -> None:
        """Kill every worker; running and later requests fail. May be called twice."""
        with self._changed:
            was_stopped, self._stopped = self._stopped, True
            workers = list(self._workers)
            self._changed.notify_all()
        for worker in workers:
            worker.kill()
        self._starter.shutdown(wait=True)
        if self._forks and not was_stopped:
            SHARED.give_back()
        atexit.unregister(self.stop)

    def __enter__(self) -> WorkerPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pids(self) -> list[int]:
        """The processes that run now."""
        with self._changed:
            return sorted(worker.pid for worker in self._workers)

    def _exchange(self, request: Request) -> HttpResponse:
        with self._leased() as worker, Limits(worker, self.spec) as limits:
            try:
                return send(request, worker.host, worker.port)
            except (OSError, http.client.HTTPException) as error:
                if limits.exceeded == "time":
                    message = f"Function timed out after {self.spec.timeout_s:g} seconds"
                    raise WorkerFailed("InvocationTimeout", message) from error
                message = "Process exited unexpectedly before completing request"
                if limits.exceeded:
                    message += f": it had more than its {self.spec.memory_mb} MB of memory"
                raise WorkerFailed("CAExited", message) from error

    @contextmanager
    def _leased(self) -> Iterator[WorkerProcess]:
        worker = self._take()
        try:
            yield worker
        except BaseException:  # in doubt about what it is doing, no later request may meet it
            self._discard(worker)
            raise
        with self._changed:
            if not self._retired:
                self._idle.append(worker)
                self._changed.notify()
                return
        self._discard(worker)

    def _take(self) -> WorkerProcess:
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or self._idle or self._slots_taken < self._size)
            if self._stopped:
                raise WorkerFailed("FunctionNotStarted", "the local cloud is stopping")
            idle = self._idle.pop() if self._idle else None
            if idle is not None and idle.is_alive:
                return idle
            self._slots_taken += 1
        if idle is not None:  # it died between two requests, which is no error
            self._discard(idle)
        return self._start()

    def _start(self) -> WorkerProcess:
        worker: WorkerProcess | None = None
        try:
            worker = self._starter.submit(self._start_process).result()
            worker.wait_until_listening(self._start_timeout_s)
        except BaseException as error:  # Ctrl-C, too: the process would go on, and its slot be lost
            self._discard(worker)
            # No such command, or the starter was shut down.
            if isinstance(error, (OSError, RuntimeError)):
                raise WorkerFailed("FunctionNotStarted", str(error)) from error
            raise
        return worker

    def _start_process(self) -> WorkerProcess:
        worker = WorkerProcess(self.spec, self._forks)
        with self._changed:
            self._workers.add(worker)
            stopped = self._stopped
        if stopped:
            worker.kill()
        return worker

    def _discard(self, worker: WorkerProcess | None) -> None:
        if worker is not None:
            worker.kill()
        with self._changed:
            if worker is not None:
                self._workers.discard(worker)
            self._slots_taken -= 1
            self._changed.notify()


class FunctionHost:
    """All functions by name, each with its pool; what invokers and the gateway call."""

    def __init__(self, specs: Iterable[WorkerSpec] = ()) -> None:
        self.pools: dict[str, WorkerPool] = {}
        self._retired: list[WorkerPool] = []
        for spec in specs:
            self.add(spec)

    def add(self, spec: WorkerSpec, *, size: int = 2) -> None:
        """Host one more function, for those whose addresses are known late."""
        self.pools[spec.function] = WorkerPool(spec, size=size)

    def replace(self, spec: WorkerSpec, *, size: int = 2) -> None:
        """Host a function, or a new version of one; what the old one is doing, it finishes."""
        former = self.pools.get(spec.function)
        self.add(spec, size=size)
        if former:
            self._retire(former)

    def remove(self, function: str) -> None:
        self._retire(self.pools.pop(function))

    def _retire(self, pool: WorkerPool) -> None:
        self._retired.append(pool)
        pool.retire()

    def invoke(self, function: str, event: bytes, request_id: str) -> InvocationResult:
        return self.pools[function].invoke(event, request_id)

    def http(self, function: str, request: Request, request_id: str) -> HttpResponse:
        return self.pools[function].http(request, request_id)

    def stop(self) -> None:
        for pool in (*self.pools.values(), *self._retired):
            pool.stop()

    def __enter__(self) -> FunctionHost:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
