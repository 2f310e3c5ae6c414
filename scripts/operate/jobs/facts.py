"""Jobs as programs read them, for ``--json``."""

from __future__ import annotations

from shared.board.model import OpenJob
from shared.bucket.attempt import JobId
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.records.ledger import Ledger
from shared.bucket.records.plan import Plan
from shared.money.quotes.sample_text import quote_by
from shared.pipeline.sample.records import Sample
from shared.pipeline.sample.sample_results import find_sample


def open_job_facts(job: OpenJob) -> dict[str, object]:
    """As it stands in ``board.json``, without what only the timer needs."""
    return job.model_dump(mode="json", exclude={"settled"})


def job_facts(records: BucketRecords, plan: Plan) -> dict[str, object]:
    """What was planned, and how it ended if it did."""
    ledger = records.find_ledger(JobId(plan.job_id))
    return {
        "job_id": plan.job_id,
        "source_key": plan.source.key,
        "provider": plan.provider,
        "model": plan.model,
        "rows": plan.rows,
        "retry_of": plan.retry_of,
        "quote": quote_facts(plan, find_sample(records, plan)),
        "dropped_at": plan.source.dropped_at.isoformat(),
        **(ledger_facts(ledger) if ledger else {"state": "open"}),
    }


def quote_facts(plan: Plan, sample: Sample | None = None) -> dict[str, object] | None:
    """What it was to cost, amounts in millionths; ``None`` of jobs of older versions."""
    if plan.quote is None:
        return None
    return quote_by(plan.quote, sample.figures if sample else None).model_dump(mode="json")


def ledger_facts(ledger: Ledger) -> dict[str, object]:
    """How a job ended."""
    return {
        "job_id": ledger.job_id,
        "state": "erased" if ledger.erased_at else "closed",
        "closed_at": ledger.closed_at.isoformat(),
        "by_status": dict(ledger.by_status),
        "tokens": ledger.tokens.total,
        "bill": ledger.bill.model_dump(mode="json") if ledger.bill else None,
        "result_key": ledger.result_key,
        "warnings": list(ledger.warnings),
    }
