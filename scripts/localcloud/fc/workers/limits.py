"""What one request may take of its instance: time and memory."""

from __future__ import annotations

import threading
import time

from scripts.localcloud.fc.workers.process import WorkerProcess, WorkerSpec
from shared.formats.sizes import MIB

_MEMORY_LOOK_S = 0.2


class Limits:
    """Kills the worker at its time-out or above its memory, which ends the request, too."""

    def __init__(self, worker: WorkerProcess, spec: WorkerSpec) -> None:
        self.exceeded = ""
        self._worker = worker
        self._spec = spec
        self._lock = threading.Lock()
        self._is_over = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name=f"limits-{spec.function}", daemon=True)

    def __enter__(self) -> Limits:
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        # A watcher that has just decided must not kill the worker during its next request.
        with self._lock:
            self._is_over.set()

    def _watch(self) -> None:
        until_s = time.monotonic() + self._spec.timeout_s
        while (left_s := until_s - time.monotonic()) > 0:
            if self._is_over.wait(min(left_s, _MEMORY_LOOK_S)):
                return
            if self._worker.resident_bytes() > self._spec.memory_mb * MIB:
                self._kill("memory")
                return
        self._kill("time")

    def _kill(self, exceeded: str) -> None:
        with self._lock:
            if not self._is_over.is_set():
                self.exceeded = exceeded
                self._worker.kill()
