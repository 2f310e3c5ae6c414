"""Which jobs a file was before that were not sent: what may wait is marked when it is planned."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from shared.bucket.attempt import JobId
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.records.plan import Plan
from shared.bucket.uploads import may_wait_key
from shared.ports.store import ObjectStore

# More of one file that all were not sent are told of no more.
_MOST = 50


def mark_version(store: ObjectStore, plan: Plan) -> None:
    """Let later versions of the file find the job; to be called before its plan is put.

    One that neither waits for anything nor asks a sample has nothing that they would look for.
    """
    may_wait = plan.approval is not None or plan.sample is not None or has_monthly_ceiling(plan)
    if may_wait and plan.source.key:
        source = plan.source
        store.put(may_wait_key(source.key, source.dropped_at, plan.created_at, plan.job_id), b"")


def has_monthly_ceiling(plan: Plan) -> bool:
    """Whether it may have to wait for a month's money."""
    return any(each.scope != "job" for each in plan.ceilings)


def versions_not_sent(records: BucketRecords, plan: Plan) -> Iterator[Plan]:
    """Other jobs of the file, the newest first, back to the last one that was closed and sent.

    Among them are open ones, of which it is not decided yet; retries are jobs of their own.
    """
    others = (each for each in _others(records, plan) if each.origin_id != plan.origin_id)
    for other in islice(others, _MOST):
        if records.is_closed(JobId(other.job_id)) and not was_not_sent(records, other):
            return
        yield other


def was_not_sent(records: BucketRecords, plan: Plan) -> bool:
    """Whether it was decided that nothing of the job is sent, beside its sample."""
    job_id = JobId(plan.job_id)
    decided = records.find_approval(job_id) if plan.approval else None
    if decided is not None and not decided.is_approved:
        return True
    ends = records.is_cancelled(job_id) or records.find_replacement(job_id) is not None
    return ends and not any(sent.batch_id for _, sent in records.submissions(job_id))


def _others(records: BucketRecords, plan: Plan) -> Iterator[Plan]:
    for job_id in dict.fromkeys(records.jobs_that_may_wait(plan.source.key) if plan.source.key else ()):
        if job_id != plan.job_id and (found := records.find_plan(job_id)):
            yield found
