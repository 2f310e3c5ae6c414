"""Decides whether a batch has ended for us, and as what, from what the provider says of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from shared.bucket.submission import Submission, SubmissionKind
from shared.pipeline.deadlines import GIVE_UP
from shared.ports.provider import BatchId, BatchProblem, BatchState, BatchStatus, FailedFor


def end_of(state: BatchState | None, batch_id: BatchId, overdue: timedelta) -> BatchState | None:
    """The state to settle the rows by, or ``None`` while the batch may still end.

    Args:
        state: What the provider says; ``None`` if it does not know the batch.
        batch_id: Names the batch that the provider does not know.
        overdue: The time since the batch's deadline; negative before it.
    """
    end, is_overdue = state, overdue >= timedelta(0)
    if state is None or not state.status.is_terminal:
        may_still_end = overdue < GIVE_UP and (state is not None or not is_overdue)
        end = None if may_still_end else state or BatchState(batch_id, BatchStatus.UNKNOWN, "unknown")
    elif state.status is BatchStatus.CANCELLED and is_overdue:
        # We cancelled it at its deadline, so its open rows expired.
        end = replace(state, status=BatchStatus.EXPIRED)
    return end


def end_without_batch(submission: Submission) -> BatchState:
    """An attempt that was not sent is settled like a batch that ran no row."""
    if submission.kind is SubmissionKind.CANCELLED:
        return BatchState(BatchId(""), BatchStatus.CANCELLED, SubmissionKind.CANCELLED.value)
    problem = BatchProblem(submission.rejected_code, submission.rejected_message)
    return BatchState(
        BatchId(""), BatchStatus.FAILED, "rejected", problems=(problem,), failed_for=FailedFor.ROWS
    )
