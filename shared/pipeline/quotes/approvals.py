"""What was decided of a job that waits for an approval; also that it is too late for one."""

from __future__ import annotations

from datetime import datetime

from shared.bucket.attempt import JobId
from shared.bucket.bucket_records import APPROVAL, BucketRecords
from shared.bucket.keys import record_key
from shared.bucket.tickets import LAPSED, Approval


def decided_now(records: BucketRecords, job_id: JobId, until: datetime, now: datetime) -> Approval | None:
    """The decision that stands, ``None`` while somebody may still approve it."""
    decided = records.find_approval(job_id)
    if decided is None and now > until:
        return records.create(record_key(job_id, APPROVAL), Approval(said=LAPSED, at=now))
    return decided


def shown_time(at: datetime) -> str:
    """As people read it in reports."""
    return f"{at:%Y-%m-%d %H:%M} UTC"
