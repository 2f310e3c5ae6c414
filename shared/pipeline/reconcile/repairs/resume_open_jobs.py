"""Finds open jobs that lack a ticket for some shard, or wait for an approval no more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from shared.bucket.attempt import JobId
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import APPROVE, OPEN, open_job_key
from shared.pipeline.deadlines import LOOK_AFTER, NEVER_PLANNED, SAMPLE_LOOK_AFTER
from shared.pipeline.jobs.start_job import StartJob
from shared.pipeline.reconcile.step import Candidate
from shared.ports.clock import Clock
from shared.ports.store import ObjectHead, ObjectStore


@dataclass(frozen=True)
class ResumeOpenJobs:
    """A ``RepairStep``: a ticket is lost if its writer dies, or if a person deletes it."""

    store: ObjectStore
    clock: Clock
    name: str = "open"

    def candidates(self) -> Iterator[Candidate]:
        for head in self.store.list(OPEN):
            wait = SAMPLE_LOOK_AFTER if head.size_bytes else LOOK_AFTER
            if self.clock.now() - head.modified_at >= wait:
                yield Candidate(head.key, partial(self._repair, head))

    def _repair(self, head: ObjectHead) -> bool:
        job_id = JobId(head.key.removeprefix(OPEN))
        records = BucketRecords(self.store)
        plan = records.find_plan(job_id)
        if plan is None:
            if self.clock.now() - head.modified_at >= NEVER_PLANNED and self.store.head(head.key) == head:
                self.store.delete(head.key)
            return False
        tickets = StartJob(self.store, self.clock, writes_records=False)(plan)
        self.store.put(open_job_key(job_id), b"")  # the next look is an hour from now
        return tickets > 0


@dataclass(frozen=True)
class SweepApprovals:
    """A ``RepairStep``: removes marks of jobs that wait no more, whose author was slow or died."""

    store: ObjectStore
    clock: Clock
    name: str = "approve"

    def candidates(self) -> Iterator[Candidate]:
        for head in self.store.list(APPROVE):
            if self.clock.now() - head.modified_at >= LOOK_AFTER:
                yield Candidate(head.key, partial(self._repair, head))

    def _repair(self, head: ObjectHead) -> bool:
        job_id = JobId(head.key.removeprefix(APPROVE))
        if self.store.head(open_job_key(job_id)):
            return False  # ``ResumeOpenJobs`` looks after it
        self.store.delete(head.key)
        return True
