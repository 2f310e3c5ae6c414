"""Recipes of some runs want their quotes approved: who approves what when, and what must be so."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from shared.bucket.attempt import JobId
from shared.bucket.bucket_records import APPROVAL, BucketRecords
from shared.bucket.keys import APPROVE, JOBS
from shared.bucket.records.plan import Plan
from shared.bucket.tickets import LAPSED, REPLACED
from shared.pipeline.jobs.retries import dropped_last_at
from shared.ports.store import ObjectStore
from tests.simulation.expected import batches_by_attempt
from tests.simulation.pipeline import Pipeline

_HOUR_S = 3600.0
_WITHIN_HOURS = (1, 6, 48)
# The timer looks at what waits every hour.
_SOON = timedelta(hours=4)
# So long after a job is planned, every run that begins to look knows it.
_AT_ONCE = timedelta(minutes=20)
_WAYS = ("command", "page", "file", "file")
# As the providers' names of chains of jobs: a job and its retries.
_MOST_RETRIES = 50


@dataclass
class Approvals:
    """What people approved in one run.

    Attributes:
        pipeline: The run.
        choose: Decides who approves what, when and how often.
        terms: What the recipe says; empty where nobody need approve.
        acted_s: When somebody first approved a job, by its id.
    """

    pipeline: Pipeline
    choose: random.Random
    terms: tuple[str, ...] = ()
    acted_s: dict[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, seed: int, pipeline: Pipeline) -> Approvals:
        """Decide it; people then approve what begins to wait, soon, late, twice or never."""
        mine = cls(pipeline, random.Random(f"approvals {seed}"))
        within = mine.choose.choice(_WITHIN_HOURS)
        if pipeline.kernel.faults.strikes("must_approve", APPROVE, 0, likely=4):
            mine.terms = ("approve: always", f"approve_within: {within}h")
            pipeline.awaits = partial(mine.awaits, within * _HOUR_S)
            pipeline.approvals = mine
        return mine

    def awaits(self, within_s: float, key: str) -> None:
        """A job begins to wait. Nobody knows of it, or two people do."""
        job = key.removeprefix(APPROVE)
        for number in range(self.choose.choice((0, 1, 1, 2, 3))):
            delay_s = self.choose.choice((5.0, 600.0, within_s, 1.5 * within_s)) * self.choose.random()
            way = self.choose.choice(_WAYS)
            if self.pipeline.kernel.faults.strikes("approved", f"{job} {number}", self.pipeline.kernel.now_s):
                self.pipeline.later(delay_s, partial(self._approve, job, way))

    def _approve(self, job: str, way: str) -> None:
        bucket, kernel = self.pipeline.bucket, self.pipeline.kernel
        content = bucket.objects.get(f"jobs/{job}/plan.json")
        plan = Plan.model_validate_json(content) if content else None
        if plan is None or not plan.source.key or plan.quote is None:
            return
        self.acted_s.setdefault(job, kernel.now_s)
        kernel.say(f"somebody approves {job}, by {way}")
        if way == "file":
            # That of a file that was replaced is refused. Of a retry it is the same number.
            bucket.drop(f"{plan.source.key}.approve", f"{plan.quote.digest}\n".encode())
            for other in _chain(BucketRecords(bucket), plan):
                self.acted_s.setdefault(other, kernel.now_s)
        else:
            self.pipeline.approve(way, job)


def approval_failures(pipeline: Pipeline) -> Iterator[str]:
    """Nothing is sent before somebody approved its job, or one that it is a retry of."""
    approvals = pipeline.approvals
    if not isinstance(approvals, Approvals):
        return
    records = BucketRecords(pipeline.bucket)
    for attempt, batches in batches_by_attempt(pipeline).items():
        plan = records.find_plan(attempt.job_id)
        if plan is None or plan.provider != "bailian":
            continue
        acted_s = [approvals.acted_s.get(each, math.inf) for each in _chain(records, plan)]
        for batch in batches:
            if min(acted_s) > batch.created_s:
                yield f"{attempt} was sent as {batch.batch_id}, and nobody had approved it"


def replaced_failures(pipeline: Pipeline) -> Iterator[str]:
    """A job whose file was replaced does not wait until nobody may approve it any more."""
    if not isinstance(pipeline.approvals, Approvals) or was_out(pipeline):
        return
    bucket, records = pipeline.bucket, BucketRecords(pipeline.bucket)
    for key in bucket.keys(JOBS):
        job_id = JobId(key.split("/")[1])
        decided = records.find_approval(job_id) if key.endswith(f"/{APPROVAL}") else None
        plan = records.find_plan(job_id) if decided and decided.said == LAPSED else None
        newer = newest_job(bucket, plan) if plan and plan.source.key else None
        if plan is None or newer is None or plan.approve_until is None:
            continue
        if plan.approve_until - max(newer.created_at, plan.created_at) > _SOON:
            yield f"{job_id} waited for an approval, though its file is {newer.job_id} since"


def retried_failures(pipeline: Pipeline) -> Iterator[str]:
    """Nobody makes a retry that is to end at once, since its file has long been another job."""
    if not isinstance(pipeline.approvals, Approvals):
        return
    records = BucketRecords(pipeline.bucket)
    for key in pipeline.bucket.keys(JOBS):
        job_id = JobId(key.split("/")[1])
        decided = records.find_approval(job_id) if key.endswith(f"/{APPROVAL}") else None
        newer = records.find_plan(JobId(decided.by)) if decided and decided.said == REPLACED else None
        plan = records.find_plan(job_id) if newer else None
        if plan is None or newer is None or not plan.retry_of:
            continue
        is_once = dropped_last_at(records, newer) == newer.source.dropped_at
        if is_once and plan.created_at - newer.created_at > _AT_ONCE:
            yield f"{job_id} is a retry, though its file was {newer.job_id} before"


def newest_job(store: ObjectStore, plan: Plan) -> Plan | None:
    """What the file is now, if that is another job, which was not dropped once more since."""
    head = store.head(plan.source.key)
    source = head and plan.source.model_copy(update={"etag": head.etag, "dropped_at": head.modified_at})
    upload = BucketRecords(store).find_upload(source) if source else None
    newer = BucketRecords(store).find_plan(JobId(upload.job_id)) if upload else None
    is_first = newer is not None and source is not None and newer.source.dropped_at == source.dropped_at
    return newer if newer and is_first and newer.origin_id != plan.origin_id else None


def was_out(pipeline: Pipeline) -> bool:
    """Whether nothing of ours worked for hours."""
    return any(fault.kind.startswith("outage") for fault in pipeline.kernel.faults.struck)


def _chain(records: BucketRecords, plan: Plan) -> Iterator[str]:
    """The job and those that it is a retry of, or that have the same first one."""
    following: Plan | None = plan
    for _ in range(_MOST_RETRIES):
        if following is None:
            return
        yield following.job_id
        following = records.find_plan(JobId(following.retry_of)) if following.retry_of else None
