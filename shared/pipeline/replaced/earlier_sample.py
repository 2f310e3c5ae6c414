"""What samples of earlier versions of a file have cost that were replaced before they were sent."""

from __future__ import annotations

from shared.bucket.attempt import JobId
from shared.bucket.base import Record
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import record_key
from shared.bucket.money import Money
from shared.bucket.records.plan import Plan
from shared.pipeline.sample.sample_results import find_sample


class EarlierSample(Record):
    """Of all earlier versions together."""

    cost: Money


def note_earlier_sample(records: BucketRecords, earlier: Plan, plan: Plan) -> None:
    """Keep for the quote of ``plan`` what was spent for the version before it."""
    sample, before = find_sample(records, earlier), find_earlier_sample(records, earlier)
    costs = [each for each in (sample and sample.figures.cost, before) if each]
    if plan.sample is None or not costs or len({each.currency for each in costs}) > 1:
        return
    mine = EarlierSample(cost=costs[0] if len(costs) == 1 else costs[0] + costs[1])
    records.create(_key(plan), mine)


def find_earlier_sample(records: BucketRecords, plan: Plan) -> Money | None:
    """What they have cost beside the job's own sample."""
    found = records.find(_key(plan), EarlierSample) if plan.sample else None
    return found.cost if found else None


def _key(plan: Plan) -> str:
    return record_key(JobId(plan.job_id), "sample/earlier.json")
