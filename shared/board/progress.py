"""How many rows of an open job have their answer, as far as the bucket tells."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from shared.board.model import SettledRows
from shared.bucket.attempt import Attempt, JobId
from shared.bucket.base import Record, RecordPart
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import sample_key
from shared.bucket.records.plan import Plan
from shared.bucket.tickets import RunningTicket

# Of more newly settled shards the records are read in the next runs.
_MAX_READ = 50
# A quota may stop a batch many times; further back it is not looked for what was settled.
_MAX_LOOKED_BACK = 3
# ``RowStatus.ANSWERED``, of a higher floor.
_ANSWERED = "answered"


class _Figures(RecordPart):
    answered: int = 0


class _Sample(Record):
    """As far as the board reads what a sample came to."""

    figures: _Figures = _Figures()


def sampled_rows(records: BucketRecords, plan: Plan) -> int:
    """How many rows the sample has answered, of a job of which nothing is settled yet."""
    found = records.find(sample_key(JobId(plan.job_id)), _Sample) if plan.sample else None
    return found.figures.answered if found else 0


class Progress:
    """Adds up shards. The provider's counts may be wrong, but no shard has more rows than it has.

    Attributes:
        answered: How many rows have their answer.
        failed: How many others have come to an end, or are said to fail.
        counted_at: Of when the newest of the provider's counts are.
    """

    def __init__(self, settled: SettledRows) -> None:
        self.answered = settled.answered
        self.failed = settled.failed
        self.counted_at: datetime | None = None

    def add(self, records: BucketRecords, plan: Plan, attempt: Attempt, ticket: RunningTicket | None) -> None:
        """Add a shard that is not settled; ``ticket`` is that of its batch, if it has one."""
        shard = plan.shard(attempt.shard)
        if shard is None:
            return
        answered, failed = _counts(_settled_before(records, attempt))
        if ticket and ticket.counted_at:
            answered += ticket.completed or 0
            failed += ticket.failed or 0
            self.counted_at = max(self.counted_at or ticket.counted_at, ticket.counted_at)
        answered = min(answered, shard.rows)
        self.answered += answered
        self.failed += min(failed, shard.rows - answered)


def settled_rows(
    records: BucketRecords, job_id: JobId, settled: Mapping[int, bool], known: SettledRows
) -> SettledRows:
    """What is ``known`` of the earlier board, and what shards say that are settled, or borrow.

    Args:
        records: Of the bucket.
        job_id: The job.
        settled: Its shards that are; of each, whether it is whole.
        known: What was read for the earlier board.
    """
    filled = {shard for shard in known.borrowing if settled.get(shard)}
    unread = sorted(settled.keys() - set(known.shards) | filled)[:_MAX_READ]
    decided = {shard: each for shard in unread if (each := records.find_decided(job_id, shard))}
    found = {shard: _counts(each.by_status) for shard, each in decided.items()}
    before = [counts for shard, counts in known.borrowing.items() if shard in found]
    borrowing = {**known.borrowing, **found}
    return SettledRows(
        shards=tuple(dict.fromkeys((*known.shards, *found))),
        answered=known.answered + sum(each[0] for each in found.values()) - sum(each[0] for each in before),
        failed=known.failed + sum(each[1] for each in found.values()) - sum(each[1] for each in before),
        borrowing={
            shard: each for shard, each in borrowing.items() if shard not in found or not settled[shard]
        },
    )


def _settled_before(records: BucketRecords, attempt: Attempt) -> Mapping[str, int]:
    """Which rows of its shard earlier attempts have settled; a requeued one has settled none."""
    for _ in range(_MAX_LOOKED_BACK):
        if attempt.number == 1:
            break
        attempt = attempt.previous_attempt()
        outcome = records.find_outcome(attempt)
        if outcome is None or outcome.kind != "requeue":
            return outcome.by_status if outcome else {}
    return {}


def _counts(by_status: Mapping[str, int]) -> tuple[int, int]:
    answered = by_status.get(_ANSWERED, 0)
    return answered, sum(by_status.values()) - answered
