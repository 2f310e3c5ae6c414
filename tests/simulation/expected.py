"""What each row may come to, by what the provider knows of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from shared.bucket.attempt import JobId, ShardAttempt, parse_shard_attempt
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.records import Plan
from shared.ports.provider import BatchStatus
from tests.simulation.pipeline import Pipeline
from tests.simulation.service import Batch

_WITHOUT_LINE = {
    BatchStatus.COMPLETED: ("missing",),
    BatchStatus.EXPIRED: ("expired",),
    # Our own cancel of a batch that never ended counts as expired.
    BatchStatus.CANCELLED: ("cancelled", "expired"),
}


@dataclass
class Expected:
    """What one row may come to.

    Attributes:
        must: An answer stands in results that had to be read.
        may: The provider wrote an answer at all.
        reasons: The statuses that are right if there is no answer, each with the error code, where only one is right.
    """

    must: bool = False
    may: bool = False
    reasons: dict[str, str | None] = field(default_factory=dict)


def expected_rows(pipeline: Pipeline, rounds: Sequence[Plan]) -> dict[str, Expected]:
    """By the text that a row asks about; each stands once in a file.

    Args:
        pipeline: The run.
        rounds: The job and its retries, in their order.
    """
    rows: dict[str, Expected] = defaultdict(lambda: Expected(reasons={"refused": None}))
    by_unit = batches_by_unit(pipeline)
    for plan in rounds:
        for unit in sorted(by_unit, key=lambda each: (each.shard, each.attempt)):
            for batch in by_unit[unit] if unit.job_id == plan.job_id else ():
                _add(rows, pipeline, unit, batch)
        if any(f"-{plan.job_id}-" in name for name in pipeline.service.refused):
            for row in rows.values():
                row.reasons = {**row.reasons, "refused": None}
        if BucketRecords(pipeline.bucket).is_cancelled(JobId(plan.job_id)):
            for row in rows.values():
                row.reasons = {**row.reasons, "cancelled": "cancelled"}
            rows.default_factory = lambda: Expected(reasons={"cancelled": "cancelled", "refused": None})
    return rows


def _add(rows: dict[str, Expected], pipeline: Pipeline, unit: ShardAttempt, batch: Batch) -> None:
    was_read = had_to_be_read(pipeline, unit, batch)
    for custom_id, text in batch.texts.items():
        row, is_answered = rows[text], custom_id in batch.answered
        row.may |= is_answered
        row.must |= is_answered and was_read
        row.reasons = _reasons(pipeline, unit, batch, custom_id, was_read=was_read)


def batches_by_unit(pipeline: Pipeline) -> dict[ShardAttempt, list[Batch]]:
    by_unit: dict[ShardAttempt, list[Batch]] = defaultdict(list)
    for batch in pipeline.service.batches.values():
        unit = parse_shard_attempt(batch.request.metadata["batchdrop"])
        if unit:
            by_unit[unit].append(batch)
    return by_unit


def unfinished_at_once(pipeline: Pipeline, model: str) -> int:
    """The most batches of the model that were unfinished at the same time, but for those that had been given up."""
    spans = []
    for unit, batches in batches_by_unit(pipeline).items():
        decided_s = _decided_s(pipeline, unit)
        for batch in batches:
            ends_s = batch.ends_s if decided_s is None else min(batch.ends_s, decided_s)
            if batch.request.model == model:
                spans += [(batch.created_s, 1), (ends_s, -1)]
    most = now = 0
    for _, change in sorted(spans):
        now += change
        most = max(most, now)
    return most


def had_to_be_read(pipeline: Pipeline, unit: ShardAttempt, batch: Batch) -> bool:
    """Whether the batch had ended when its attempt was decided, with results that come within the time we wait."""
    decided_s = _decided_s(pipeline, unit)
    return decided_s is not None and batch.ends_s <= decided_s and batch.files_at_s is not None


def _decided_s(pipeline: Pipeline, unit: ShardAttempt) -> float | None:
    outcome = BucketRecords(pipeline.bucket).find_outcome(unit)
    return None if outcome is None else (outcome.decided_at - pipeline.start).total_seconds()


def _reasons(
    pipeline: Pipeline, unit: ShardAttempt, batch: Batch, custom_id: str, *, was_read: bool
) -> dict[str, str | None]:
    if batch.status is BatchStatus.FAILED:
        return {"refused": None}
    decided_s = _decided_s(pipeline, unit)
    if decided_s is None or batch.ends_s > decided_s:
        return {"expired": "expired"}
    if was_read and custom_id in batch.failed:
        return {"refused": batch.failed[custom_id] or None}
    return {status: status for status in _WITHOUT_LINE[batch.status]}
