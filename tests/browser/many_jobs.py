"""A bucket of ten thousand closed jobs."""

from __future__ import annotations

from typing import Any

from scripts.benchmarks.page import many_files
from scripts.benchmarks.page.many_files import ClosedJob
from scripts.localcloud.oss.local_oss import LocalOss
from shared.bucket.attempt import JobId
from shared.bucket.bucket_records import BucketRecords
from tests.support.dropped import TABLE
from tests.support.whole_job import PROMPT, run_job

BUCKET = "drop"
FILES = 10_000


def fill(oss: LocalOss) -> None:
    """Drop the files, and close a job of each; of every third no row was answered."""
    kinds = [_closed_job({}), _closed_job({}), _closed_job({"answer": _refused})]
    many_files.fill(oss, BUCKET, FILES, kinds)


def _closed_job(how: dict[str, Any]) -> ClosedJob:
    store, plan = run_job("t.csv", TABLE, PROMPT, **how)
    ledger = BucketRecords(store).find_ledger(JobId(plan.job_id))
    assert ledger
    return plan, ledger


def _refused(line: dict[str, Any]) -> dict[str, Any]:
    error = {"code": "InvalidParameter", "message": "bad"}
    return {"id": "x", "custom_id": line["custom_id"], "response": None, "error": error}
