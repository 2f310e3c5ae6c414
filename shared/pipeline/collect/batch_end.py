"""Decides whether a batch has ended for us, and as what, from what the provider says of it.

Or from that it will never say.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta

from shared.bucket.records.submission import Submission, SubmissionKind
from shared.pipeline.deadlines import GIVE_UP, MENDED_WITHIN, SEND_WITHIN
from shared.pipeline.waiting import asked_of_provider
from shared.ports.provider import BatchId, BatchProblem, BatchProvider, BatchState, BatchStatus, FailedFor
from shared.problems.exceptions import ProviderRejected, ProviderTrouble

log = logging.getLogger(__name__)


def ask_for_state(
    batches: BatchProvider, batch_id: BatchId, overdue: timedelta, age: timedelta
) -> BatchState | None:
    """The batch now, or ``None`` if the provider does not know it, or will never say.

    Args:
        batches: Its provider.
        batch_id: Its id.
        overdue: The time since its deadline; negative before it.
        age: The time since its job was planned.

    Raises:
        ProviderTrouble: The provider does not say now. Somebody is told, and it is asked again.
    """
    try:
        with asked_of_provider():
            return batches.status(batch_id)
    except ProviderTrouble as trouble:
        # Its answers may lie there, paid for. So it waits as long as anything does.
        if overdue < MENDED_WITHIN or age < SEND_WITHIN:
            raise
        reason = str(trouble)
    except ProviderRejected as refusal:
        if overdue < MENDED_WITHIN:
            raise ProviderTrouble(str(refusal)) from refusal
        reason = str(refusal)
    log.warning("batch.given_up", extra={"batch_id": batch_id, "reason": reason})
    return None


def end_of(
    state: BatchState | None, batch_id: BatchId, overdue: timedelta, told_for: timedelta | None
) -> BatchState | None:
    """The state to settle the rows by, or ``None`` while the batch may still end.

    Args:
        state: What the provider says; ``None`` if it does not know the batch.
        batch_id: Names the batch that the provider does not know.
        overdue: The time since the batch's deadline; negative before it.
        told_for: The time since it was first told to end; ``None`` if it was not. After an outage
            the first look may find it overdue for days.
    """
    is_overdue = overdue >= timedelta(0)
    if state is None:
        return BatchState(batch_id, BatchStatus.UNKNOWN, "unknown") if is_overdue else None
    if not state.status.is_terminal:
        return state if told_for is not None and min(told_for, overdue) >= GIVE_UP else None
    if is_overdue and state.status in {BatchStatus.CANCELLED, BatchStatus.EXPIRED}:
        # We cancelled it at its deadline, so its open rows expired.
        return replace(state, status=BatchStatus.EXPIRED, broken_off="")
    return state


def end_without_batch(submission: Submission) -> BatchState:
    """An attempt that was not sent is settled like a batch that ran no row."""
    if submission.kind is SubmissionKind.CANCELLED:
        return BatchState(BatchId(""), BatchStatus.CANCELLED, SubmissionKind.CANCELLED.value)
    if submission.kind is SubmissionKind.KEPT:  # of its rows none was to be sent
        return BatchState(BatchId(""), BatchStatus.COMPLETED, SubmissionKind.KEPT.value)
    problem = BatchProblem(submission.rejected_code, submission.rejected_message)
    return BatchState(
        BatchId(""), BatchStatus.FAILED, "rejected", problems=(problem,), failed_for=FailedFor.ROWS
    )
