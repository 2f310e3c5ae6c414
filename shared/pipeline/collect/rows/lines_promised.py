"""How many lines an ended batch still owes, and how many rows without one may be charged."""

from __future__ import annotations

from shared.ports.provider import BatchState, BatchStatus
from shared.results.spool.answer_spool import AnswerSpool


def perhaps_charged(state: BatchState, spool: AnswerSpool) -> int:
    """How many rows without a line may be charged: of a batch that was given up, all."""
    if state.status is BatchStatus.FAILED:
        return 0
    missing = len(spool.asked) - spool.found
    if not state.status.is_terminal or spool.has_lost_files:
        return missing
    return min(max(_lines_promised(state, spool) - spool.found, 0), missing)


def lacks_lines(state: BatchState, spool: AnswerSpool) -> bool:
    """Whether an ended batch has rows without a line, which may only be late.

    A completed one must have them all. The provider's counts do not matter: they may be null or too
    low while a file is not there yet, and a row that is sent again for that is paid twice.
    """
    return spool.found < _lines_promised(state, spool)


def _lines_promised(state: BatchState, spool: AnswerSpool) -> int:
    asked, promised = len(spool.asked), state.lines_promised
    if state.status is BatchStatus.COMPLETED or promised is None:
        promised = asked
    return min(promised, asked)
