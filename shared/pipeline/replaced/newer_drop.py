"""Which job the file became that lies where another job's file was dropped."""

from __future__ import annotations

from shared.bucket.attempt import JobId
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.records.plan import Plan
from shared.ports.store import ObjectStore


def newer_drop(store: ObjectStore, plan: Plan) -> Plan | None:
    """The job of the file as it is now, if that is another one.

    ``None`` also while nothing is decided of that version, if it was refused, and if the file was
    removed: whoever removes it wants its job all the same.
    """
    head = store.head(plan.source.key) if plan.source.key else None
    if head is None:
        return None
    dropped = {"etag": head.etag, "dropped_at": head.modified_at}
    records = BucketRecords(store)
    upload = records.find_upload(plan.source.model_copy(update=dropped))
    is_other = upload is not None and upload.job_id != plan.origin_id
    return records.find_plan(JobId(upload.job_id)) if upload and is_other else None
