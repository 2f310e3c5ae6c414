"""Decides that a job is not approved any more, since a later version of its file is a job."""

from __future__ import annotations

import logging

from shared.bucket.attempt import JobId
from shared.bucket.bucket_records import APPROVAL, BucketRecords
from shared.bucket.keys import record_key, version_key
from shared.bucket.records.plan import Plan
from shared.bucket.tickets import REPLACED, Approval
from shared.pipeline.jobs.retries import dropped_last_at
from shared.ports.clock import Clock
from shared.ports.store import ObjectStore

log = logging.getLogger(__name__)


def note_replaced(store: ObjectStore, clock: Clock, plan: Plan, newer: Plan) -> None:
    """Decide it, unless the job was approved before."""
    keep_name_for(store, plan, newer)
    records, job_id = BucketRecords(store), JobId(plan.job_id)
    mine = Approval(said=REPLACED, by=newer.job_id, at=clock.now())
    if records.create(record_key(job_id, APPROVAL), mine) is mine:
        log.info("job.replaced", extra={"job_id": job_id, "by": newer.job_id})


def keep_name_for(store: ObjectStore, plan: Plan, newer: Plan) -> None:
    """Rows that were not sent must not take the place of the file's last result.

    So the later version has its name from now on, as when it closes.
    """
    if newer.result_key == plan.result_key:
        dropped_at = dropped_last_at(BucketRecords(store), newer)
        key = version_key(newer.result_key, dropped_at, JobId(newer.job_id), newer.source.seen_at)
        store.put(key, b"")
