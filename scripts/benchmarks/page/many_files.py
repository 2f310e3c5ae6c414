"""A bucket of many files whose jobs are closed, laid down as the local OSS keeps its objects."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone

from fastcrc import crc64

from scripts.localcloud.oss.local_oss import LocalOss
from scripts.localcloud.storage.object_index import StoredObject
from shared.bucket.attempt import JobId
from shared.bucket.keys import record_key
from shared.bucket.records.ledger import Ledger
from shared.bucket.records.plan import Plan
from shared.bucket.uploads import Upload, upload_done_key, upload_key

ClosedJob = tuple[Plan, Ledger]

# Records of those jobs alone are read that are shown: no others are laid down.
_WITH_RECORDS = 60
_FIRST_AT = datetime(2026, 11, 1, tzinfo=timezone.utc)


def fill(oss: LocalOss, bucket: str, files: int, jobs: Sequence[ClosedJob]) -> None:
    """Drop so many files, and close a job of each of the newest, like these in turn.

    To upload 10,000 would take a minute. The local OSS must not be running yet.
    """
    oss.storage.create_bucket(bucket)
    rows: list[StoredObject] = []
    for number in range(files):
        age = number * 7919 % files  # a name tells nothing of a file's age
        key, content = f"inbox/{number:05}.csv", b"a,b\n%d,x\n" % number
        at = _FIRST_AT + timedelta(minutes=files - age)
        rows.append(_laid(oss, bucket, key, content, at))
        if age < _WITH_RECORDS:
            records = _records(number, rows[-1], at, *jobs[age % len(jobs)])
            rows += [_laid(oss, bucket, name, record, at) for name, record in records.items()]
    with oss.storage.index.transaction():
        for row in rows:
            oss.storage.index.save_object(row)


def _records(number: int, row: StoredObject, at: datetime, plan: Plan, ledger: Ledger) -> dict[str, bytes]:
    job_id, result_key = JobId(f"{number:016x}"), f"results/{number:05}.csv"
    named = {"bucket": row.bucket, "key": row.key, "etag": row.etag, "dropped_at": at}
    source = plan.source.model_copy(update=named)
    own = {"job_id": job_id, "source": source, "result_key": result_key}
    closed = ledger.model_copy(update=own).to_bytes()
    return {
        record_key(job_id, "plan.json"): plan.model_copy(update=own).to_bytes(),
        record_key(job_id, "ledger.json"): closed,
        upload_key(row.bucket, row.key, row.etag, at): Upload(job_id=job_id).to_bytes(),
        upload_done_key(row.bucket, row.key, row.etag, at): b"",
        result_key: b"a,b,answer\n",
        f"results/{number:05}.report.json": closed,
    }


def _laid(oss: LocalOss, bucket: str, key: str, content: bytes, at: datetime) -> StoredObject:
    layout, seconds = oss.storage.layout, int(at.timestamp())
    file = layout.place_for(bucket, key)
    file.write_bytes(content)
    os.utime(file, (seconds, seconds))
    return StoredObject(
        bucket=bucket,
        key=key,
        file=file.relative_to(layout.data_dir).as_posix(),
        size_bytes=len(content),
        mtime_ns=seconds * 10**9,
        modified_s=seconds,
        etag=hashlib.md5(content).hexdigest().upper(),  # noqa: S324 (as OSS tells it)
        crc64=crc64.xz(content),
        object_type="Normal",
        content_type="text/csv",
        headers={},
    )
