"""What the page says of one dropped file and of the job that came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from shared.board.model import Estimate, OpenJob, ShardState, SpentMoney
from shared.bucket.records.ledger import Ledger
from shared.bucket.tickets import OVER_BUDGET, WaitingFor
from shared.money.amounts import money_text
from shared.ports.store import ObjectHead
from shared.results.columns import RowStatus

_CANCELLED = RowStatus.CANCELLED.value


class JobState(str, Enum):
    """What happens to a dropped file, in one word."""

    CHECKING = "checking"
    REFUSED = "refused"
    WAITING = "waiting"  # for a place at the provider, for its time, or for a person
    APPROVAL = "approval"  # nothing is sent until somebody approves the quote
    OVER_CEILING = "over_ceiling"  # this month's budget has not enough left
    SENDING = "sending"
    RUNNING = "running"
    COLLECTING = "collecting"
    CANCELLING = "cancelling"  # what was answered so far is kept
    DONE = "done"
    INCOMPLETE = "incomplete"  # closed, and some rows have no answer
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class FileJob:
    """One file in the inbox.

    Attributes:
        key: In the inbox.
        answered: As far as is known; of an open job, as of the timer's last look.
        counts: Of a closed job, how many rows ended how.
        misfits: Of a closed job, how many answers are not what was asked for.
        since: When it came to this state, as far as is known.
        result: The key of the result.
        cost: Of a closed job whose price is known, as people write it, such as ``¥0.42``.
        real_time: What the same would have cost without a batch.
        approve_until: Of one that waits for an approval.
        ceiling: What an open one may still spend by its recipe.
    """

    key: str
    state: JobState
    size_bytes: int | None
    dropped_at: datetime | None
    since: datetime | None
    job_id: str | None = None
    rows: int | None = None
    answered: int = 0
    failed: int = 0
    counts: Mapping[str, int] | None = None
    misfits: int = 0
    counted_at: datetime | None = None
    provider: str | None = None
    model: str | None = None
    deadline_at: datetime | None = None
    estimate: Estimate | None = None
    waiting_for: WaitingFor | None = None
    result: str | None = None
    cost: str | None = None
    real_time: str | None = None
    can_cancel: bool = False
    can_retry: bool = False
    approve_until: datetime | None = None
    ceiling: SpentMoney | None = None


def without_job(head: ObjectHead, state: JobState) -> FileJob:
    """A file that is being checked, or was refused."""
    return FileJob(head.key, state, head.size_bytes, head.modified_at, head.modified_at)


def open_job(job: OpenJob, head: ObjectHead | None) -> FileJob:
    """A job that is not closed; ``head`` is ``None`` if its file is no longer there."""
    return FileJob(
        key=job.source_key,
        state=state_of(job),
        size_bytes=head.size_bytes if head else None,
        dropped_at=head.modified_at if head else job.planned_at,
        since=job.waiting_since,
        job_id=job.job_id,
        rows=job.rows,
        answered=job.answered,
        failed=job.failed,
        counted_at=job.counted_at,
        provider=job.provider,
        model=job.model,
        deadline_at=job.deadline_at,
        estimate=job.estimate,
        waiting_for=job.waiting_for,
        can_cancel=not job.cancelled,
        approve_until=job.approve_until,
        ceiling=job.ceiling,
    )


def closed_job(ledger: Ledger, head: ObjectHead, open_rows: int) -> FileJob:
    """A closed job; ``open_rows`` is how many rows a retry would send."""
    answered, bill = ledger.answered, ledger.bill if ledger.attempts else None
    return FileJob(
        key=head.key,
        state=_end_of(ledger, answered),
        size_bytes=head.size_bytes,
        dropped_at=head.modified_at,
        since=ledger.closed_at,
        job_id=ledger.job_id,
        rows=ledger.rows_out,
        answered=answered,
        failed=ledger.rows_out - answered,
        counts=ledger.by_status,
        misfits=sum(ledger.misfits.values()),
        provider=ledger.provider,
        model=ledger.model,
        result=ledger.result_key or None,
        cost=money_text(bill.cost) if bill else None,
        real_time=money_text(bill.real_time) if bill else None,
        can_retry=open_rows > 0 and ledger.erased_at is None,
    )


def state_of(job: OpenJob) -> JobState:
    """What most concerns its owner of all that its shards are doing."""
    if job.cancelled and not job.waiting_for:
        return JobState.CANCELLING
    if job.approve_until:
        return JobState.APPROVAL
    if job.waiting_for and job.waiting_for.code == OVER_BUDGET:
        return JobState.OVER_CEILING
    shards = {state for state, count in job.by_state.items() if count}
    if job.waiting_for or shards == {ShardState.WAITING.value}:
        return JobState.WAITING
    for shard, state in _FIRST:
        if shard.value in shards:
            return state
    return JobState.COLLECTING if shards else JobState.SENDING


_FIRST = (
    (ShardState.RUNNING, JobState.RUNNING),
    (ShardState.READY, JobState.SENDING),
    (ShardState.WAITING, JobState.WAITING),
)


def _end_of(ledger: Ledger, answered: int) -> JobState:
    if answered == ledger.rows_out:
        return JobState.DONE
    return JobState.CANCELLED if ledger.by_status.get(_CANCELLED) else JobState.INCOMPLETE
