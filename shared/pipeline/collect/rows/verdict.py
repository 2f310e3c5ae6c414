"""Decides what a batch's end means for each row that was in it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache

from shared.ports.provider import BatchProblem, BatchState, BatchStatus
from shared.problems.problem import Problem
from shared.problems.render import render_both
from shared.results.columns import CODES_OF_ANSWERS, Answer, RowStatus
from shared.results.replies.sent_again import OWN_CODES

_ABSENT = {
    BatchStatus.COMPLETED: (RowStatus.MISSING, "missing"),
    BatchStatus.EXPIRED: (RowStatus.EXPIRED, "expired"),
    BatchStatus.CANCELLED: (RowStatus.CANCELLED, "cancelled"),
    BatchStatus.UNKNOWN: (RowStatus.EXPIRED, "never_ended"),
}


class BatchVerdict:
    """What one ended batch says about rows, with the answers given row by row as the first word.

    Args:
        state: The batch at its end, or past its deadline.
        cancelled_words: What the provider's code of a row holds that was not run because its batch
            was cancelled, in lower case.
        attempts_left: How many attempts are left to rows that have no answer yet.
        job_is_cancelled: Rows that would be sent again, or are unknown, are cancelled.
        has_strays: There are lines that no row was found for, or other answers beside a row's own.
            A row without a line may have one among them, and be paid for.
    """

    def __init__(
        self,
        state: BatchState,
        cancelled_words: Collection[str],
        *,
        attempts_left: int,
        job_is_cancelled: bool = False,
        has_strays: bool = False,
    ) -> None:
        self._state = state
        self._cancelled_words = cancelled_words
        self._attempts_left = attempts_left
        self._job_is_cancelled = job_is_cancelled
        self._has_strays = has_strays
        # By line and by id of a row.
        self._by_row: Mapping[int | str, BatchProblem] = {
            row: problem
            for problem in reversed(state.problems)
            for row in (problem.line, problem.custom_id)
            if row is not None
        }
        self._file_wide = next((each for each in state.problems if each.is_file_wide), None)

    def settle(self, custom_id: str, line: int, answer: Answer | None, *, answers: int = 0) -> Answer | None:
        """The row's final answer, or ``None`` if the row goes into the next attempt.

        Args:
            custom_id: The row's id.
            line: The row's line in the submitted shard, from 1; the provider's problems name it.
            answer: What the result files say of the row, if anything.
            answers: How many it had that do not fit; these attempts did not fail.
        """
        is_absent = answer is None
        if answer is None:
            answer = self._reason_for_absence(custom_id, line)
            answer = answer._replace(retryable=answer.retryable and not self._has_strays)
        elif self._was_not_run(answer):
            answer = self._not_run(answer)
        if self._job_is_cancelled:
            is_unknown = is_absent and self._state.status is not BatchStatus.FAILED
            return _cancelled(custom_id) if answer.retryable or is_unknown else answer
        return None if answer.retryable and self._attempts_left + answers > 0 else answer

    def _was_not_run(self, answer: Answer) -> bool:
        """Whether an error line only says that the batch was cancelled; it may give no code."""
        code = answer.error_code.lower()
        is_cancelled = any(word in code for word in self._cancelled_words)
        return answer.status_code is None and (is_cancelled or answer.error_code == "unknown")

    def _not_run(self, answer: Answer) -> Answer:
        """Rows that did not run stand in a cancelled batch's error file. They are not sent again.

        A batch that we cancel, past its deadline, comes as expired: its rows are sent again.
        """
        if self._state.status is BatchStatus.CANCELLED:
            return answer._replace(status=RowStatus.CANCELLED, retryable=False)
        if self._state.status is BatchStatus.EXPIRED:
            return self._reason_for_absence(answer.custom_id, 0)
        return answer

    def _reason_for_absence(self, custom_id: str, line: int) -> Answer:
        status = self._state.status
        if status is BatchStatus.FAILED:
            return self._reason_for_failure(custom_id, line)
        if status is BatchStatus.EXPIRED and self._state.broken_off:
            return _with_words(_own(custom_id, RowStatus.EXPIRED, "broken_off"), self._state.broken_off)
        return _own(custom_id, *_ABSENT.get(status, _ABSENT[BatchStatus.UNKNOWN]))

    def _reason_for_failure(self, custom_id: str, line: int) -> Answer:
        told = self._file_wide or self._by_row.get(line) or self._by_row.get(custom_id)
        if told is None and self._by_row:
            # Who reads it may have no row that was refused: the one that is named may not be ours.
            return _with_words(_own(custom_id, RowStatus.REFUSED, "not_run"), self._state.problems[0].message)
        if told is None and not self._state.problems:
            return _own(custom_id, RowStatus.REFUSED, "batch_failed")
        told = told or self._state.problems[0]
        code = "batch_failed" if told.code in CODES_OF_ANSWERS else told.code
        return Answer(custom_id, RowStatus.REFUSED, error_code=code, error_message=told.message)


def _with_words(answer: Answer, said: str) -> Answer:
    return answer._replace(error_message=f"{answer.error_message} / {said}")


def _cancelled(custom_id: str) -> Answer:
    return _own(custom_id, RowStatus.CANCELLED, "cancelled")


def _own(custom_id: str, status: RowStatus, code: str) -> Answer:
    return Answer(custom_id, status, error_code=code, error_message=_words(code), retryable=OWN_CODES[code])


@cache
def _words(code: str) -> str:
    return render_both(Problem(code))
