"""A bucket of ten thousand closed jobs, laid down as the local OSS keeps its objects."""

from __future__ import annotations

import hashlib
import os
from datetime import datetime, timedelta, timezone
from typing import Any

from fastcrc import crc64

from scripts.localcloud.oss.local_oss import LocalOss
from scripts.localcloud.storage.object_index import StoredObject
from shared.bucket.attempt import JobId
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import record_key
from shared.bucket.records.ledger import Ledger
from shared.bucket.records.plan import Plan
from shared.bucket.uploads import Upload, upload_done_key, upload_key
from tests.support.dropped import TABLE
from tests.support.whole_job import PROMPT, run_job

BUCKET = "drop"
FILES = 10_000
# Records of those jobs alone are read that are shown: no others are laid down.
_WITH_RECORDS = 60
_FIRST_AT = datetime(2026, 11, 1, tzinfo=timezone.utc)


def fill(oss: LocalOss) -> None:
    """Drop the files, and close a job of each; of every third no row was answered.

    To upload them all would take a minute. The local OSS must not be running yet.
    """
    oss.storage.create_bucket(BUCKET)
    kinds = [_closed_job({}), _closed_job({}), _closed_job({"answer": _refused})]
    rows: list[StoredObject] = []
    for number in range(FILES):
        age = number * 7919 % FILES  # a name tells nothing of a file's age
        key, content = f"inbox/{number:05}.csv", b"a,b\n%d,x\n" % number
        at = _FIRST_AT + timedelta(minutes=FILES - age)
        rows.append(_laid(oss, key, content, at))
        if age < _WITH_RECORDS:
            records = _records(number, rows[-1], at, *kinds[age % 3])
            rows += [_laid(oss, name, record, at) for name, record in records.items()]
    with oss.storage.index.transaction():
        for row in rows:
            oss.storage.index.save_object(row)


def _closed_job(how: dict[str, Any]) -> tuple[Plan, Ledger]:
    store, plan = run_job("t.csv", TABLE, PROMPT, **how)
    ledger = BucketRecords(store).find_ledger(JobId(plan.job_id))
    assert ledger
    return plan, ledger


def _refused(line: dict[str, Any]) -> dict[str, Any]:
    error = {"code": "InvalidParameter", "message": "bad"}
    return {"id": "x", "custom_id": line["custom_id"], "response": None, "error": error}


def _records(number: int, row: StoredObject, at: datetime, plan: Plan, ledger: Ledger) -> dict[str, bytes]:
    job_id, result_key = JobId(f"{number:016x}"), f"results/{number:05}.csv"
    named = {"bucket": BUCKET, "key": row.key, "etag": row.etag, "dropped_at": at}
    source = plan.source.model_copy(update=named)
    own = {"job_id": job_id, "source": source, "result_key": result_key}
    closed = ledger.model_copy(update=own).to_bytes()
    return {
        record_key(job_id, "plan.json"): plan.model_copy(update=own).to_bytes(),
        record_key(job_id, "ledger.json"): closed,
        upload_key(BUCKET, row.key, row.etag, at): Upload(job_id=job_id).to_bytes(),
        upload_done_key(BUCKET, row.key, row.etag, at): b"",
        result_key: b"a,b,answer\n",
        f"results/{number:05}.report.json": closed,
    }


def _laid(oss: LocalOss, key: str, content: bytes, at: datetime) -> StoredObject:
    layout, seconds = oss.storage.layout, int(at.timestamp())
    file = layout.place_for(BUCKET, key)
    file.write_bytes(content)
    os.utime(file, (seconds, seconds))
    return StoredObject(
        bucket=BUCKET,
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
