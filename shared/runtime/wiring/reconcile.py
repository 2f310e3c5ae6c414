"""Wires the function ``reconcile``."""

from __future__ import annotations

from datetime import timedelta
from functools import cache, partial

from shared.board.write import WriteBoard
from shared.pipeline.deadlines import REPAIRS_SHOWN, SHARE_TO_REPAIR, SHARE_TO_SHOW, UNKNOWN_TIMEOUT
from shared.pipeline.quota.free_money import ceiling_on_board, money_on_board
from shared.pipeline.reconcile.lull import Lull
from shared.pipeline.reconcile.reconcile import Overdue, Reconcile
from shared.pipeline.reconcile.repairs.lost_uploads import AskAgain
from shared.pipeline.reconcile.timer_run import TimerRun
from shared.pipeline.words.tell_waiting import TellWaiting
from shared.runtime.context import FcContext
from shared.runtime.settings import Settings, current_settings
from shared.runtime.system_clock import SystemClock
from shared.runtime.wiring.open_store import open_store
from shared.runtime.wiring.providers.open_providers import open_providers
from shared.stores.folders_first import FoldersFirst


def timer_run(context: FcContext) -> TimerRun:
    """What repairs, shows the repairs, and tells who must act, all before the next tick."""
    settings = current_settings()
    bucket = open_store(settings, context)
    store = FoldersFirst(bucket, bucket.folders)
    clock = SystemClock()
    timeout = timedelta(seconds=context.timeout_s) if context.timeout_s else UNKNOWN_TIMEOUT
    overdue = _overdue(settings)
    reconcile = Reconcile(
        store=store,
        providers=open_providers(settings),
        clock=clock,
        overdue=overdue,
        validate=AskAgain(store, clock, overdue.inbox),
        bucket=settings.bucket_name,
        budget=timeout * SHARE_TO_REPAIR,
        lull=_lull(),
        month_budget=settings.month_budget,
    )
    money = partial(money_on_board, store, clock, settings.month_budget)
    ceiling_of = partial(ceiling_on_board, store)
    write_board = WriteBoard(store, clock, timeout * SHARE_TO_SHOW, REPAIRS_SHOWN, money, ceiling_of)
    return TimerRun(store, clock, reconcile, write_board, TellWaiting(store, clock), _lull(), overdue.inbox)


@cache
def _lull() -> Lull:
    """As long as this instance lives."""
    return Lull()


def _overdue(settings: Settings) -> Overdue:
    return Overdue.from_seconds(
        settings.ready_overdue_s,
        settings.poll_after_s,
        settings.finished_overdue_s,
        settings.inbox_sweep_after_s,
        settings.files_sweep_s,
    )
