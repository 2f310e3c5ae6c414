"""Run by the timer: brings up again whatever is overdue."""

from __future__ import annotations

from datetime import timedelta

from shared.board.write import WriteBoard
from shared.pipeline.deadlines import REPAIRS_SHOWN, SHARE_TO_REPAIR, SHARE_TO_SHOW, UNKNOWN_TIMEOUT
from shared.pipeline.reconcile.lost_uploads import AskAgain
from shared.pipeline.reconcile.reconcile import Overdue, Reconcile
from shared.runtime.context import FcContext
from shared.runtime.event_trigger import event_handler
from shared.runtime.settings import current_settings
from shared.runtime.wiring.clock import SystemClock
from shared.runtime.wiring.providers import open_providers
from shared.runtime.wiring.stores import open_store


@event_handler
def handler(event: bytes, context: FcContext) -> object:  # a timer's event says nothing
    """Repair what is overdue, show what is open, and be done before the next tick, which may come in a minute."""
    settings = current_settings()
    store = open_store(settings, context)
    clock = SystemClock()
    timeout = timedelta(seconds=context.timeout_s) if context.timeout_s else UNKNOWN_TIMEOUT
    overdue = Overdue.from_seconds(
        settings.ready_overdue_s,
        settings.poll_after_s,
        settings.finished_overdue_s,
        settings.inbox_sweep_after_s,
        settings.files_sweep_s,
    )
    reconcile = Reconcile(
        store=store,
        providers=open_providers(settings),
        clock=clock,
        overdue=overdue,
        validate=AskAgain(store, clock, overdue.inbox),
        bucket=settings.bucket_name,
        budget=timeout * SHARE_TO_REPAIR,
    )
    repairs = reconcile()
    WriteBoard(store, clock, timeout * SHARE_TO_SHOW, REPAIRS_SHOWN)(repairs)
    return repairs
