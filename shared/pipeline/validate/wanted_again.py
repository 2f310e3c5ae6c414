"""Whether a job that was not sent is wanted after all, since its file was dropped again."""

from __future__ import annotations

from shared.bucket.attempt import JobId
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.records.plan import Plan, Source
from shared.bucket.tickets import REPLACED
from shared.pipeline.jobs.retries import latest_retry
from shared.pipeline.quotes.approvals import decided_now
from shared.ports.clock import Clock
from shared.ports.store import ObjectStore


def is_wanted_again(store: ObjectStore, clock: Clock, plan: Plan, source: Source) -> bool:
    """Whether it waits again: it was replaced, or nobody approved it in time.

    Args:
        store: The bucket.
        clock: Says whether the time to approve it is over.
        plan: Of the job.
        source: The file as it was dropped now.
    """
    records = BucketRecords(store)
    latest = latest_retry(records, plan)
    job_id, until = JobId(latest.job_id), latest.approve_until
    if source.dropped_at <= latest.source.dropped_at or records.is_cancelled(job_id):
        return False
    if latest.ceilings and records.find_replacement(job_id):
        return True
    decided = decided_now(records, job_id, until, clock.now()) if until else None
    if until is None or decided is None or decided.is_approved:
        return False
    return decided.said == REPLACED or source.dropped_at > until
