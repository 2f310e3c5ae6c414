"""Run by the timer: repairs what is overdue and shows what is open."""

from __future__ import annotations

from shared.runtime.context import FcContext
from shared.runtime.event_trigger import event_handler
from shared.runtime.wiring.reconcile import repair_and_show


@event_handler
def handler(event: bytes, context: FcContext) -> object:  # a timer's event says nothing
    """Repair what is overdue, then write the board, and tell who must act."""
    reconcile, write_board, tell_waiting = repair_and_show(context)
    repairs = reconcile()
    tell_waiting(write_board(repairs))
    return repairs
