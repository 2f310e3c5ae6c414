"""What samples of earlier versions of a file have cost that were not sent."""

from __future__ import annotations

from shared.bucket.bucket_records import BucketRecords
from shared.bucket.money import Money
from shared.bucket.records.plan import Plan
from shared.pipeline.replaced.earlier_versions import versions_not_sent, was_not_sent
from shared.pipeline.sample.sample_results import find_sample


def earlier_sample_costs(records: BucketRecords, plan: Plan) -> list[Money]:
    """Beside the job's own sample, of all those before it together: one amount for each currency.

    Of a job that asks no sample nobody wants to know it.
    """
    if plan.sample is None and (plan.approval is None or not plan.retry_of):
        return []
    costs: dict[str, Money] = {}
    for earlier in versions_not_sent(records, plan):
        sample = find_sample(records, earlier) if earlier.created_at < plan.created_at else None
        cost = sample.figures.cost if sample and was_not_sent(records, earlier) else None
        if cost and cost.micros:
            before = costs.get(cost.currency)
            costs[cost.currency] = before + cost if before else cost
    return list(costs.values())
