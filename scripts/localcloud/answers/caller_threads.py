"""Threads for calls that may last very long: nobody waits for them when the service stops."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, TypeVar

Result = TypeVar("Result")
_Job = tuple["Future[Any]", Callable[[], object]]


class CallerThreads:
    """Daemon threads. A ``ThreadPoolExecutor`` would keep the program until they are done."""

    def __init__(self, size: int, name: str) -> None:
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, name=f"{name}-{number}", daemon=True)
            for number in range(size)
        ]
        self._are_started = False

    def submit(self, call: Callable[[], Result]) -> Future[Result]:
        if not self._are_started:
            self._are_started = True
            for thread in self._threads:
                thread.start()
        future: Future[Result] = Future()
        self._jobs.put((future, call))
        return future

    async def awaited(self, call: Callable[[], Result]) -> Result:
        """What the call returns or raises; the event loop goes on meanwhile."""
        return await asyncio.wrap_future(self.submit(call))

    def close(self) -> None:
        """End each thread after its present call; the caller cancels what has not begun."""
        for _ in self._threads:
            self._jobs.put(None)

    def _work(self) -> None:
        while job := self._jobs.get():
            future, call = job
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(call())
            except Exception as error:  # noqa: BLE001 - whoever waits for the future raises it
                future.set_exception(error)
