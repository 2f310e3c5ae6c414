"""The services over ports in memory, driven to the end by what a trigger and the timer would call; calls can be cut off."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from shared.adapters.bailian_profile import BAILIAN
from shared.domain.keys import OPEN, JobId, ShardAttempt, Stage, record_key, report_key_for, ticket_in
from shared.domain.records import Ledger, Plan
from shared.ports import Provider
from shared.services.bucket_records import BucketRecords
from shared.services.cancel_job import CancelJob
from shared.services.collect_shard import CollectShard
from shared.services.poll_running import PollRunning
from shared.services.repair_step import RepairStep
from shared.services.resume_open_jobs import ResumeOpenJobs
from shared.services.retry_job import RetryJob
from shared.services.submit_shard import SubmitShard
from tests.builders import plan_job
from tests.fake_provider import ScriptedProvider, only
from tests.fakes import FixedClock, MemoryStore

LEASE = timedelta(minutes=15)
LATE = timedelta(hours=1)


class Killed(BaseException):
    """The process is gone: nothing catches it."""


class Cut:
    """Lets ``calls`` calls of the ports through it happen, and kills its invocation at the next one."""

    def __init__(self, calls: int | None = None) -> None:
        self.left = calls
        self.made = 0

    def over(self, port: Any) -> Any:
        return _CutPort(port, self)

    def call(self) -> None:
        if self.left is not None and self.made >= self.left:
            raise Killed
        self.made += 1


class _CutPort:
    def __init__(self, port: Any, cut: Cut) -> None:
        self._port = port
        self._cut = cut

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)

        def call(*arguments: Any, **named: Any) -> Any:
            self._cut.call()
            return method(*arguments, **named)

        return call


def _repair(step: RepairStep) -> None:
    for candidate in list(step.candidates()):
        candidate.repair()


class Pipeline:
    """One job in a bucket, at a provider whose batches the test moves on."""

    def __init__(self, **plan: Any) -> None:
        self.clock = FixedClock()
        self.store = MemoryStore(self.clock)
        self.provider = ScriptedProvider()
        self.records = BucketRecords(self.store)
        self._numbers = itertools.count(1)
        self.plan = plan_job(self.store, self.clock, **plan)
        self.job_id = JobId(self.plan.job_id)

    # What may be killed takes a ``Cut``.

    def submit(self, unit: ShardAttempt, cut: Cut | None = None) -> str:
        cut = cut or Cut()
        service = SubmitShard(
            cut.over(self.store),
            only(cut.over(self.provider)),
            self.clock,
            LEASE,
            self._run_id(),
            lambda _: None,
        )
        return service(unit)

    def collect(self, unit: ShardAttempt, cut: Cut | None = None) -> str:
        cut = cut or Cut()
        return CollectShard(
            cut.over(self.store), only(cut.over(self.provider)), self.clock, self._run_id(), LATE
        )(unit)

    def cancel(self, job_id: JobId | None = None, cut: Cut | None = None) -> str:
        cut = cut or Cut()
        return CancelJob(cut.over(self.store), self.clock)(job_id or self.job_id)

    def retry(self, plan: Plan | None = None, cut: Cut | None = None) -> str:
        cut = cut or Cut()
        return RetryJob(cut.over(self.store), self.clock, self._run_id())(plan or self.plan).said

    def poll(self) -> None:
        _repair(PollRunning(self.store, Provider(BAILIAN, self.provider), self.clock, timedelta(0)))

    def resume(self) -> None:
        _repair(ResumeOpenJobs(self.store, self.clock))

    def triggered(self, key: str) -> None:
        """What an OSS trigger starts when an object is put; for ``MemoryStore.on_put``."""
        found = ticket_in(key)
        if found and found[0] is Stage.READY:
            self.submit(found[1])
        elif found and found[0] is Stage.FINISHED:
            self.collect(found[1])

    def units(self, stage: Stage) -> list[ShardAttempt]:
        found = [ticket_in(head.key) for head in self.store.list(stage.value)]
        return [each[1] for each in found if each]

    def tickets(self) -> list[str]:
        return [head.key for stage in Stage for head in self.store.list(stage.value)]

    def drain(self, end_batches: Callable[[], object] = lambda: None, cut: Cut | None = None) -> None:
        """Let triggers and the timer work until the board is empty. ``end_batches`` is what the provider does meanwhile.

        The first invocation that uses up ``cut`` is killed; its event is delivered again like any other.
        """
        for _ in range(300):  # three days
            end_batches()
            self.resume()
            self.poll()
            for unit in self.units(Stage.READY):
                self._alive(self.submit, unit, cut)
            for unit in self.units(Stage.FINISHED):
                self._alive(self.collect, unit, cut)
            if not self.tickets() and not list(self.store.list(OPEN)):
                return
            self.clock.advance(LEASE)
        raise AssertionError(f"never done: {self.tickets()}")

    def _alive(self, call: Callable[..., object], unit: ShardAttempt, cut: Cut | None) -> None:
        try:
            call(unit, cut)
        except Killed:
            assert cut is not None
            cut.left = None

    def _run_id(self) -> str:
        return f"run-{next(self._numbers):04d}"

    # What is to be seen.

    def rows(self) -> list[dict[str, str]]:
        text = self.store.get(self.plan.result_key).decode(self.plan.output_encoding)
        return list(csv.DictReader(io.StringIO(text, newline="")))

    def statuses(self) -> list[str]:
        return [row["status"] for row in self.rows()]

    def ledger(self, job_id: JobId | None = None) -> Ledger:
        return Ledger.model_validate_json(self.store.get(record_key(job_id or self.job_id, "ledger.json")))

    def report(self) -> Ledger:
        return Ledger.model_validate_json(self.store.get(report_key_for(self.plan.result_key)))

    def sent(self) -> list[str]:
        """Every row that was sent, as often as it was."""
        return [line["custom_id"] for each in self.provider.submissions for line in each.lines]
