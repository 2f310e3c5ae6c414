"""What is known of a row, as a number."""

from __future__ import annotations

from shared.results.columns import Answer, RowStatus
from shared.results.replies.result_lines import UNREADABLE as LINE_UNREADABLE

# Of two lines the one counts that is further behind. A row that may be paid for, as one whose line
# cannot be read, must not be sent again for the other line: ``BOTH``.
NOTHING, AGAIN, UNREADABLE, BOTH, REASON, ANSWERED = range(6)


def kind_of(answer: Answer) -> int:
    """What one line alone says."""
    if answer[1] is RowStatus.ANSWERED:  # status; by its place, as a name takes longer
        return ANSWERED
    if answer.retryable:
        return AGAIN
    return UNREADABLE if answer.error_code == LINE_UNREADABLE else REASON
