"""The functions over ports in memory: a test delivers the events, and can cut off any call."""

from __future__ import annotations

import csv
import io
import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from shared.bucket.attempt import Attempt, JobId
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import OPEN, Stage, record_key, ticket_in
from shared.bucket.records.ledger import Ledger
from shared.bucket.records.plan import Plan
from shared.bucket.result_names import report_key_for
from shared.pipeline.jobs.cancel_job import CancelResult
from shared.pipeline.jobs.retry_job import RetryResult
from shared.pipeline.reconcile.repairs.poll_running import PollRunning
from shared.pipeline.reconcile.repairs.resume_open_jobs import ResumeOpenJobs
from shared.pipeline.reconcile.step import RepairStep
from shared.pipeline.submit.submit_shard import SubmitResult
from tests.support.builders import plan_job
from tests.support.fake_provider import ScriptedProvider, only
from tests.support.fakes import FixedClock, Killed, MemoryStore
from tests.support.functions import LEASE, Functions


class Cut:
    """Lets ``calls`` calls of the ports happen, and kills its invocation at the next one."""

    def __init__(self, calls: int | None = None) -> None:
        self.left = calls
        self.made = 0

    def call(self, _what: str, _about: str) -> None:
        if self.left is not None and self.made >= self.left:
            self.strike()
        self.made += 1

    def strike(self) -> None:
        raise Killed


class Meanwhile(Cut):
    """Instead of killing, lets something else happen before the next call."""

    def __init__(self, calls: int, other: Callable[[], object]) -> None:
        super().__init__(calls)
        self._other = other

    def strike(self) -> None:
        self.left = None
        self._other()


class Harness:
    """Bucket, provider and functions; what may be killed takes a ``Cut``.

    Attributes:
        events: The tickets whose event is not delivered yet.
        said: What the delivered events came to, counted.
    """

    def __init__(self) -> None:
        self.clock = FixedClock()
        self.events: list[str] = []
        self.said: Counter[str] = Counter()
        self.store = MemoryStore(self.clock, self._hear)
        self.provider = ScriptedProvider(self.clock)
        self.records = BucketRecords(self.store)
        self.functions = Functions(self.store, self.provider, self.clock)
        self._numbers = itertools.count(1)
        self._cut: Cut | None = None

    def _hear(self, key: str) -> None:
        if key.startswith((Stage.READY.value, Stage.FINISHED.value)):
            self.events.append(key)

    # Single invocations.

    def submit(self, attempt: Attempt, cut: Cut | None = None) -> SubmitResult:
        with self._cut_by(cut):
            return self.functions.submit(attempt)

    def collect(self, attempt: Attempt, cut: Cut | None = None) -> str:
        with self._cut_by(cut):
            return self.functions.collect(attempt, self.run_id())

    def tick(self, after: timedelta = timedelta(minutes=1)) -> dict[str, int]:
        """Let the timer come, after so long."""
        self.clock.advance(after)
        return self.functions.reconcile()

    def triggered(self, key: str) -> str | None:
        """What an OSS trigger starts when an object is put."""
        stage, attempt = ticket_in(key) or (None, None)
        if attempt and stage is Stage.READY:
            return self.submit(attempt)
        if attempt and stage is Stage.FINISHED:
            return self.collect(attempt)
        return None

    def run_id(self) -> str:
        return f"run-{next(self._numbers):04d}"

    @contextmanager
    def _cut_by(self, cut: Cut | None) -> Iterator[None]:
        """One invocation's calls; those of another that runs meanwhile are its own."""
        outer, self._cut = self._cut, cut
        hooks = self.store.before, self.provider.before
        if cut or outer:
            self.store.before = self.provider.before = cut.call if cut else None
        try:
            yield
        finally:
            self._cut = outer
            self.store.before, self.provider.before = hooks

    # Many.

    def deliver(self) -> list[str]:
        """Run every function that waits for an event, until none does."""
        said: list[str] = []
        for _ in range(100):
            events, self.events[:] = list(dict.fromkeys(self.events)), []
            if not events:
                self.said.update(said)
                return said
            said += [each for key in events if (each := self.triggered(key))]
        raise AssertionError(f"it never ends: {said[-6:]}")

    def run_until_done(self, hours: int = 500) -> None:
        """Batches end one by one, everybody hears of them, and the timer comes every minute."""
        for _ in range(hours * 60):
            self.deliver()
            if self.provider.unfinished():
                self.end_batch(self.provider.unfinished()[0])
            elif self.board():
                self.tick()
            else:
                return
        raise AssertionError(f"never done: {self.board()}")

    def end_batch(self, batch_id: Any) -> None:
        """All rows are answered, and the provider calls back."""
        self.provider.answer_all(batch_id)
        attempt = self.provider.batches[batch_id].request.metadata["batchdrop"]
        self.store.put(f"{Stage.FINISHED.value}{attempt}", b'{"heard_from": "callback"}')

    def board(self) -> list[str]:
        """Everything that is still to be done."""
        return [key for key in self.store.objects if ticket_in(key) or key.startswith(("again/", "waiting/"))]

    def attempts(self, stage: Stage) -> list[Attempt]:
        found = [ticket_in(key) for key in self.store.keys(stage.value)]
        return [each[1] for each in found if each]

    def tickets(self) -> list[str]:
        return [key for stage in Stage for key in self.store.keys(stage.value)]


class Pipeline(Harness):
    """One planned job."""

    def __init__(self, **plan: Any) -> None:
        super().__init__()
        self.plan = plan_job(self.store, self.clock, **plan)
        self.job_id = JobId(self.plan.job_id)

    def cancel(self, job_id: JobId | None = None, cut: Cut | None = None) -> CancelResult:
        with self._cut_by(cut):
            return self.functions.cancel(job_id or self.job_id)

    def retry(self, plan: Plan | None = None, cut: Cut | None = None) -> RetryResult:
        with self._cut_by(cut):
            return self.functions.retry(plan or self.plan, self.run_id()).said

    def poll(self) -> None:
        _repair(PollRunning(self.store, *only(self.provider), self.clock, timedelta(0), only(self.provider)))

    def resume(self) -> None:
        _repair(ResumeOpenJobs(self.store, self.clock))

    def drain(self, end_batches: Callable[[], object] = lambda: None, cut: Cut | None = None) -> None:
        """Let the timer and what it finds work until the board is empty.

        ``end_batches`` is what the provider does meanwhile. The first invocation that uses up
        ``cut`` is killed; its event is delivered again like any other.
        """
        for _ in range(300):  # three days
            end_batches()
            self.resume()
            self.poll()
            for attempt in self.attempts(Stage.READY):
                self._alive(self.submit, attempt, cut)
            for attempt in self.attempts(Stage.FINISHED):
                self._alive(self.collect, attempt, cut)
            if not self.tickets() and not self.store.keys(OPEN):
                return
            self.clock.advance(LEASE)
        raise AssertionError(f"never done: {self.tickets()}")

    def _alive(self, call: Callable[..., object], attempt: Attempt, cut: Cut | None) -> None:
        try:
            call(attempt, cut)
        except Killed:
            assert cut is not None
            cut.left = None

    # What a test looks at.

    def result(self) -> str:
        return self.store.get(self.plan.result_key).decode(self.plan.output_encoding)

    def rows(self) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(self.result(), newline="")))

    def statuses(self) -> list[str]:
        return [row["status"] for row in self.rows()]

    def ledger(self, job_id: JobId | None = None) -> Ledger:
        return Ledger.model_validate_json(self.store.get(record_key(job_id or self.job_id, "ledger.json")))

    def report(self) -> Ledger:
        return Ledger.model_validate_json(self.store.get(report_key_for(self.plan.result_key)))

    def sent(self) -> list[str]:
        """Every row that was sent, as often as it was."""
        return [line["custom_id"] for each in self.provider.submissions for line in each.lines]


def _repair(step: RepairStep) -> None:
    for candidate in list(step.candidates()):
        candidate.repair()
