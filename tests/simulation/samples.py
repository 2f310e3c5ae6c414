"""Which runs have a sample, and what must be true of it."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence

from shared.bucket.attempt import Attempt, JobId
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import WORK, sample_key
from shared.bucket.money import TokenCounts, cost
from shared.bucket.records.plan import Plan
from shared.bucket.records.usage import Tokens
from shared.pipeline.sample.records import KeptReply, Sample, SampleGroup
from shared.results.replies.result_lines import parse_result_line
from tests.simulation.answers import tokens_of, told_of
from tests.simulation.pipeline import Pipeline
from tests.simulation.service import Batch


def sample_of(seed: int, pipeline: Pipeline) -> int | None:
    """How many rows the recipe has asked first."""
    if not pipeline.kernel.faults.strikes("sampled", "recipe", 0, likely=4):
        return None
    return random.Random(f"sample {seed}").choice((1, 3, 6, 12))


def kept_replies(pipeline: Pipeline, plan: Plan) -> dict[str, KeptReply]:
    """What the rows of a sample are given instead of being sent, by id."""
    found = {}
    for key in pipeline.bucket.keys(f"{WORK}{plan.job_id}/sample/"):
        group = SampleGroup.model_validate_json(pipeline.bucket.objects[key])
        for reply in group.replies:
            answer = parse_result_line(reply.line.encode())
            assert answer is not None
            found[answer.custom_id] = reply
    return found


def sample_failures(
    pipeline: Pipeline, plans: Sequence[Plan], batches: dict[Attempt, list[Batch]]
) -> Iterator[str]:
    """No row is asked twice, by whomever, nor sent once it may have been run."""
    asked = Counter((row.job_id, row.custom_id) for row in pipeline.lane.rows)
    yield from (f"{row} of {job} was asked {times} times" for (job, row), times in asked.items() if times > 1)
    billed = {(row.job_id, row.custom_id) for row in pipeline.lane.rows if row.is_billed}
    for attempt, mine in batches.items():
        for batch in mine:
            yield from (
                f"{attempt} sends {row}, which was run for the sample"
                for row, ask in batch.asks.items()
                if (attempt.job_id, row) in billed and not ask.kept  # or its answer did not fit
            )
    sampled = {plan.job_id for plan in plans if plan.sample is not None}
    yield from (f"{row} was asked for no sample" for job, row in asked if job not in sampled)


def sample_cost(pipeline: Pipeline, plan: Plan) -> int:
    """What the service billed for the job's sample."""
    price = plan.quote.price if plan.quote else None
    if price is None:
        return 0
    total = TokenCounts()
    for row in pipeline.lane.rows:
        if row.job_id == plan.job_id and row.is_billed:
            tokens = tokens_of(row.ask)
            cached, thinking = tokens["cached"], tokens["thinking"]
            total += TokenCounts(
                input=tokens["prompt"] - cached,
                cached=cached,
                output=tokens["completion"] - thinking,
                thinking=thinking,
            )
    return cost(total, price.tiers[0].real_time, "").micros


def sample_tokens(pipeline: Pipeline, plan: Plan) -> Tokens:
    """What was told of the answers that were kept."""
    kept = kept_replies(pipeline, plan)
    told = {row.custom_id: told_of(row.ask) for row in pipeline.lane.rows if row.job_id == plan.job_id}
    answered = (told.get(custom_id, {}) for custom_id, reply in kept.items() if not reply.is_unknown)
    return sum((Tokens(**each) for each in answered), Tokens())


def sample_record(pipeline: Pipeline, plan: Plan) -> Sample | None:
    return BucketRecords(pipeline.bucket).find(sample_key(JobId(plan.job_id)), Sample)
