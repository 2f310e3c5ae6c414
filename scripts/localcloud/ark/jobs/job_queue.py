"""The threads that move jobs on: a few of each project at once, while the others queue."""

from __future__ import annotations

import contextlib
import logging
import threading
from concurrent.futures import ThreadPoolExecutor

from scripts.localcloud.answers.row_run import RunContext, Stopped, run_in
from scripts.localcloud.ark.jobs.job import Job
from scripts.localcloud.ark.jobs.job_faults import JobFault
from scripts.localcloud.ark.jobs.job_run import JobRun
from scripts.localcloud.ark.jobs.job_store import JobStore
from scripts.localcloud.ark.jobs.objects import Objects

log = logging.getLogger(__name__)


class JobQueue:
    """Runs jobs in the background, in the order in which they came.

    Attributes:
        most_running: The most jobs of one project that were ever on their way at once.
    """

    def __init__(
        self, store: JobStore, objects: Objects, context: RunContext[JobFault], running_jobs: int
    ) -> None:
        self._store = store
        self._objects = objects
        self._context = context
        self._running_jobs = running_jobs
        self._lock = threading.Lock()
        self._pools: dict[str, ThreadPoolExecutor] = {}
        self._on_their_way: set[str] = set()
        self.most_running = 0

    def start(self) -> None:
        """Go on with every job that a stop has interrupted."""
        for job in self._store.unfinished():
            self.take(job)

    def take(self, job: Job) -> None:
        with self._lock:
            pool = self._pools.get(job.project_name)
            if pool is None:
                pool = ThreadPoolExecutor(self._running_jobs, thread_name_prefix="ark-job")
                self._pools[job.project_name] = pool
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
            with contextlib.suppress(Stopped):
                job = JobRun(job_id, self._store, self._objects, self._context).run()
                log.info("job.finished", extra={"job_id": job_id, "phase": job.phase})
        finally:
            with self._lock:
                self._on_their_way.discard(job_id)
