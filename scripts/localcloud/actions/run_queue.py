"""The threads that move jobs on: a few of each group at once, while the others queue."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic

from scripts.localcloud.actions.job_memory import Kept
from scripts.localcloud.answers.row_run import RunContext, Stopped, run_in

log = logging.getLogger(__name__)


class RunQueue(Generic[Kept]):
    """Runs jobs in the background, in the order in which they came.

    Args:
        run: Takes the job of an id to its end, which it returns, or raises ``Stopped``.
        unfinished: The jobs that a stop has interrupted, oldest first.
        group: Of a job.
        most_at_once: In each group.
        context: With it, a job that this machine has failed is taken up again.

    Attributes:
        most_running: The most jobs of one service that were ever on their way at once.
    """

    def __init__(
        self,
        run: Callable[[str], Kept],
        unfinished: Callable[[], Iterable[Kept]],
        group: Callable[[Kept], str],
        most_at_once: int,
        context: RunContext[Any] | None = None,
    ) -> None:
        self._run_job = run
        self._unfinished = unfinished
        self._group = group
        self._most_at_once = most_at_once
        self._context = context
        self._lock = threading.Lock()
        self._pools: dict[str, ThreadPoolExecutor] = {}
        self._on_their_way: set[str] = set()
        self.most_running = 0

    def start(self) -> None:
        """Go on with every job that a stop has interrupted."""
        for job in self._unfinished():
            self.take(job)

    def take(self, job: Kept) -> None:
        group = self._group(job)
        with self._lock:
            pool = self._pools.get(group)
            if pool is None:
                pool = self._pools[group] = ThreadPoolExecutor(self._most_at_once, thread_name_prefix="job")
        run_in(pool, self._run, job.id)

    def stop(self) -> None:
        for pool in self._pools.values():
            pool.shutdown(wait=True, cancel_futures=True)

    def _run(self, job_id: str) -> None:
        with self._lock:
            if job_id in self._on_their_way:  # stopped while it queued, and resumed
                return
            self._on_their_way.add(job_id)
            self.most_running = max(self.most_running, len(self._on_their_way))
        try:
            if context := self._context:
                context.interruptions.repeat(job_id, lambda: self._take_on(job_id), context.stopping.wait)
            else:
                self._take_on(job_id)
        finally:
            with self._lock:
                self._on_their_way.discard(job_id)

    def _take_on(self, job_id: str) -> None:
        with contextlib.suppress(Stopped):
            job = self._run_job(job_id)
            log.info("job.finished", extra={"job_id": job_id, "phase": job.phase})
