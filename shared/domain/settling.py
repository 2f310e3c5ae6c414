"""Decides what a batch's end means for each row that was in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from shared.domain.answers import Answer, RowStatus
from shared.domain.batches import BatchProblem, BatchState, BatchStatus

# A batch that a quota stopped ran no row and says nothing against the rows. Bailian documents no code for it;
# these words stand in OpenAI's ("token_limit_exceeded") and in DashScope's ("Throttling.AllocationQuota").
_QUOTA = re.compile(r"quota|throttl|limit_exceeded|rate.?limit|too many|capacity", re.IGNORECASE)

_ABSENT = {
    BatchStatus.COMPLETED: (RowStatus.MISSING, "missing", "The provider returned no line for this row."),
    BatchStatus.EXPIRED: (RowStatus.EXPIRED, "expired", "The batch's completion window ended before this row ran."),
    BatchStatus.CANCELLED: (RowStatus.CANCELLED, "cancelled", "The batch was cancelled before this row ran."),
    BatchStatus.UNKNOWN: (RowStatus.EXPIRED, "expired", "The batch never ended; its deadline has passed."),
}  # fmt: skip


def stopped_by_quota(state: BatchState) -> bool:
    """Whether the batch failed for a reason that passes by itself and that no row is to blame for."""
    if state.status is not BatchStatus.FAILED or not state.problems:
        return False
    return all(
        problem.line is None and _QUOTA.search(f"{problem.code} {problem.message}")
        for problem in state.problems
    )


class BatchVerdict:
    """What one ended batch says about rows, with the answers given row by row as the first word.

    Args:
        state: The batch at its end, or past its deadline.
        may_resend: Whether another attempt is left.
    """

    def __init__(self, state: BatchState, *, may_resend: bool) -> None:
        self._state = state
        self._may_resend = may_resend
        self._by_line: Mapping[int, BatchProblem] = {
            problem.line: problem for problem in reversed(state.problems) if problem.line is not None
        }

    def settle(self, custom_id: str, line: int, answer: Answer | None) -> Answer | None:
        """The row's final answer, or ``None`` if the row goes into the next attempt.

        Args:
            custom_id: The row's id.
            line: The row's line in the submitted shard, from 1; the provider's problems name it.
            answer: What the result files say of the row, if anything.
        """
        if answer is None:
            answer = self._reason_for_absence(custom_id, line)
        elif self._state.status is BatchStatus.CANCELLED and answer.error_code and answer.status_code is None:
            # Rows that a cancelled batch did not run stand in its error file; nobody wants them sent again.
            answer = replace(answer, status=RowStatus.CANCELLED, retryable=False)
        return None if answer.retryable and self._may_resend else answer

    def _reason_for_absence(self, custom_id: str, line: int) -> Answer:
        status = self._state.status
        if status is BatchStatus.FAILED:
            return self._reason_for_failure(custom_id, line)
        row_status, code, message = _ABSENT.get(status, _ABSENT[BatchStatus.UNKNOWN])
        # After a cancel nobody wants the rows sent again; a batch past its deadline may still run and be billed.
        retryable = status in {BatchStatus.COMPLETED, BatchStatus.EXPIRED}
        return Answer(custom_id, row_status, error_code=code, error_message=message, retryable=retryable)

    def _reason_for_failure(self, custom_id: str, line: int) -> Answer:
        own = self._by_line.get(line)
        if own:
            return Answer(custom_id, RowStatus.REFUSED, error_code=own.code, error_message=own.message)
        if self._by_line:
            return Answer(
                custom_id,
                RowStatus.REFUSED,
                error_code="batch_failed",
                error_message="Not run: the provider refused the batch because of other rows in it.",
                retryable=True,
            )
        first = self._state.problems[0] if self._state.problems else None
        return Answer(
            custom_id,
            RowStatus.REFUSED,
            error_code=first.code if first else "batch_failed",
            error_message=first.message if first else "The provider refused the batch and gave no reason.",
        )
