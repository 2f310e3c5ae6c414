"""A job and its retries, each a job of its own: which of them stands for the file."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import takewhile

from shared.bucket.attempt import JobId, retry_job_id_for
from shared.bucket.bucket_records import DROPPED_AGAIN, BucketRecords
from shared.bucket.keys import record_key
from shared.bucket.records.marks import FirstSeen
from shared.bucket.records.plan import Plan
from shared.ports.store import ObjectStore


def with_retries(records: BucketRecords, plan: Plan) -> Iterator[Plan]:
    """The job and all retries of it, in turn."""
    following: Plan | None = plan
    while following is not None:
        yield following
        following = records.find_plan(retry_job_id_for(JobId(following.job_id)))


def latest_retry(records: BucketRecords, plan: Plan) -> Plan:
    """The last retry of the job, or the job itself."""
    *_, latest = with_retries(records, plan)
    return latest


def latest_closed_retry(records: BucketRecords, plan: Plan) -> Plan:
    """The last closed retry of the job, or the job itself, closed or not: its result counts."""
    first, *retries = with_retries(records, plan)
    closed = takewhile(lambda retry: records.find_ledger(JobId(retry.job_id)), retries)
    return [first, *closed][-1]


def forbid_retry(store: ObjectStore, plan: Plan) -> bool:
    """Whether this job, the last of its file, gets no retry: from now on, if it has none.

    What is no plan takes the place of the retry's, so of an erasure and a retry one is first.
    """
    job_id = retry_job_id_for(JobId(plan.job_id))
    is_first = store.put_if_absent(record_key(job_id, "plan.json"), b"")
    return is_first or BucketRecords(store).find_plan(job_id) is None


def dropped_last_at(records: BucketRecords, plan: Plan) -> datetime:
    """When this version of the file was dropped last, perhaps after another version."""
    again = records.find(record_key(JobId(plan.job_id), DROPPED_AGAIN), FirstSeen)
    return max(plan.source.dropped_at, again.seen_at) if again else plan.source.dropped_at
