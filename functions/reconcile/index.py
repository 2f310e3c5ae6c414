"""Run by the timer: repairs what is overdue and shows what is open."""

from __future__ import annotations

from shared.runtime.context import FcContext
from shared.runtime.event_trigger import event_handler
from shared.runtime.wiring.reconcile import timer_run


@event_handler
def handler(event: bytes, context: FcContext) -> object:  # a timer's event says nothing
    """Repair what is overdue, then write the board, and tell who must act."""
    return timer_run(context)()
