"""What each row may come to, by what the provider knows of it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from shared.domain.batches import BatchStatus
from shared.domain.keys import ShardAttempt, parse_shard_attempt
from shared.services.bucket_records import BucketRecords
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


def expected_rows(pipeline: Pipeline, job_id: str) -> dict[str, Expected]:
    """By the text that a row asks about; each stands once in a job."""
    rows: dict[str, Expected] = defaultdict(lambda: Expected(reasons={"refused": None}))
    units = sorted(batches_by_unit(pipeline).items(), key=lambda each: (each[0].shard, each[0].attempt))
    for unit, batches in units:
        for batch in batches if unit.job_id == job_id else ():
            was_read = had_to_be_read(pipeline, unit, batch)
            for custom_id, text in batch.lines.items():
                row, is_answered = rows[text], custom_id in batch.answered
                row.may |= is_answered
                row.must |= is_answered and was_read
                row.reasons = _reasons(pipeline, unit, batch, custom_id, was_read=was_read)
                if str(unit.next_attempt()) in pipeline.service.refused:
                    row.reasons = {**row.reasons, "refused": None}
    return rows


def batches_by_unit(pipeline: Pipeline) -> dict[ShardAttempt, list[Batch]]:
    by_unit: dict[ShardAttempt, list[Batch]] = defaultdict(list)
    for batch in pipeline.service.batches.values():
        unit = parse_shard_attempt(batch.request.metadata["batchdrop"])
        if unit:
            by_unit[unit].append(batch)
    return by_unit


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
