"""Wires the function ``collect``."""

from __future__ import annotations

from datetime import timedelta

from shared.pipeline.collect.collect_shard import CollectShard
from shared.pipeline.deadlines import SHARE_TO_CLOSE
from shared.pipeline.pauses import StopAt
from shared.ports.clock import no_pause
from shared.runtime.context import FcContext
from shared.runtime.settings import current_settings
from shared.runtime.system_clock import SystemClock, new_run_id
from shared.runtime.wiring.open_store import open_store
from shared.runtime.wiring.providers.open_providers import open_providers


def collect_shard(context: FcContext) -> CollectShard:
    settings = current_settings()
    clock = SystemClock()
    timeout = timedelta(seconds=context.timeout_s) if context.timeout_s else None
    return CollectShard(
        store=open_store(settings, context),
        providers=open_providers(settings),
        clock=clock,
        run_id=new_run_id(),
        results_late=timedelta(seconds=settings.results_late_s),
        pause=StopAt(clock, clock.now() + timeout * SHARE_TO_CLOSE) if timeout else no_pause,
        month_budget=settings.month_budget,
    )
