"""The threads that move batches on and report each end."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from scripts.localcloud.answers.row_run import RunContext, Stopped, run_in
from scripts.localcloud.bailian.batches.batch_events import FinishedBatch, post_callback
from scripts.localcloud.bailian.batches.batch_run import BatchRun
from scripts.localcloud.bailian.database import Database
from scripts.localcloud.bailian.service_faults import BatchFault

log = logging.getLogger(__name__)

_BATCHES_AT_ONCE = 8
OnFinished = Callable[[FinishedBatch], None]


class Worker:
    """Runs batches in the background, ``_BATCHES_AT_ONCE`` at a time."""

    def __init__(
        self, database: Database, context: RunContext[BatchFault], on_finished: OnFinished | None
    ) -> None:
        self._database = database
        self._context = context
        self._on_finished = on_finished
        self._runs = ThreadPoolExecutor(_BATCHES_AT_ONCE, thread_name_prefix="bailian-batch")
        self._calls = ThreadPoolExecutor(2, thread_name_prefix="bailian-callback")

    def start(self) -> None:
        """Go on with every batch that a stop has interrupted."""
        for batch_id in self._database.unfinished():
            self.take(batch_id)

    def take(self, batch_id: str) -> None:
        run_in(self._runs, self._run, batch_id)

    def stop(self) -> None:
        self._runs.shutdown(wait=True, cancel_futures=True)
        self._calls.shutdown(wait=True)

    def _run(self, batch_id: str) -> None:
        context = self._context
        context.interruptions.repeat(batch_id, lambda: self._take_on(batch_id), context.stopping.wait)

    def _take_on(self, batch_id: str) -> None:
        with contextlib.suppress(Stopped):
            batch = BatchRun(batch_id, self._database, self._context).run()
            log.info("batch.finished", extra={"batch_id": batch_id, "status": batch.status})
            finished = FinishedBatch(batch, self._context.clock.now())
            fault = self._database.fault_of(batch_id)
            if self._on_finished:
                for _ in range(fault.events):
                    run_in(self._calls, self._on_finished, finished)
            if batch.callback_url:
                for _ in range(fault.callbacks):
                    run_in(self._calls, post_callback, batch.callback_url, finished)
