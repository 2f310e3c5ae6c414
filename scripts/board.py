"""How far every job is, read from the bucket and from the provider's counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from shared.domain.batches import BatchId
from shared.domain.errors import PipelineError
from shared.domain.keys import JOBS, JobId, Stage, job_prefix, record_key, ticket_in
from shared.domain.records import Ledger, Plan
from shared.ports import BatchProvider, ObjectStore
from shared.services.bucket_records import BucketRecords


@dataclass(frozen=True)
class JobProgress:
    """One job at one moment; ``rows_done`` counts answers at the provider as soon as it counts them."""

    source_key: str
    rows: int
    rows_done: int
    shards: int
    by_stage: dict[str, int]
    ledger: Ledger | None

    @property
    def state(self) -> str:
        """Such as ``2 shards: 1 running, 1 settled``."""
        stages = ", ".join(f"{count} {stage}" for stage, count in self.by_stage.items())
        return f"{self.shards} shard{'s' * (self.shards != 1)}: {stages or 'planned'}"


class Board:
    """Reads plans once, and everything that changes each time."""

    def __init__(self, store: ObjectStore, provider: BatchProvider) -> None:
        self._store = store
        self._records = BucketRecords(store)
        self._provider = provider
        self._plans: dict[str, Plan] = {}

    def read(self) -> list[JobProgress]:
        """Every job, in the order in which the jobs were planned."""
        for head in self._store.list(JOBS):
            folder, _, name = head.key.removeprefix(JOBS).partition("/")
            if name == "plan.json" and folder not in self._plans:
                plan = self._records.find(head.key, Plan)
                if plan:
                    self._plans[folder] = plan
        tickets = list(self._tickets())
        plans = sorted(self._plans.values(), key=lambda plan: plan.created_at)
        return [self._progress(plan, tickets) for plan in plans]

    def _tickets(self) -> Iterator[tuple[Stage, str, int, str]]:
        for stage in Stage:
            for head in self._store.list(stage.value):
                ticket = ticket_in(head.key)
                if ticket:
                    unit = ticket[1]
                    submission = self._records.find_submission(unit)
                    yield stage, unit.job_id, unit.shard, (submission and submission.batch_id) or ""

    def _progress(self, plan: Plan, tickets: list[tuple[Stage, str, int, str]]) -> JobProgress:
        job_id = JobId(plan.job_id)
        settled = {int(head.key[-10:-5]) for head in self._store.list(f"{job_prefix(job_id)}settled/")}
        own = {
            shard: (stage, batch_id)
            for stage, job, shard, batch_id in tickets
            if job == job_id and shard not in settled
        }
        stages = Counter(stage.value.removesuffix("/") for stage, _ in own.values())
        if settled:
            stages["settled"] = len(settled)
        done = sum(plan.shards[shard - 1].rows for shard in settled)
        return JobProgress(
            source_key=plan.source.key,
            rows=plan.rows,
            rows_done=min(plan.rows, done + sum(self._answered(batch_id) for _, batch_id in own.values())),
            shards=len(plan.shards),
            by_stage=dict(stages),
            ledger=self._records.find(record_key(job_id, "ledger.json"), Ledger),
        )

    def _answered(self, batch_id: str) -> int:
        """What the provider counts for a batch in flight; a display can do without it for once."""
        try:
            state = self._provider.status(BatchId(batch_id)) if batch_id else None
        except PipelineError:
            return 0
        return state.requests_completed + state.requests_failed if state else 0
