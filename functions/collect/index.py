"""Collects every shard whose ticket appears in ``finished/``."""

from __future__ import annotations

from datetime import timedelta

from shared.domain.events import tickets_in
from shared.domain.keys import Stage
from shared.runtime.clock import SystemClock
from shared.runtime.context import FcContext
from shared.runtime.events import event_handler
from shared.runtime.identity import new_run_id
from shared.runtime.providers import open_providers
from shared.runtime.settings import current_settings
from shared.runtime.stores import open_store
from shared.services.collect_shard import CollectShard


@event_handler
def handler(event: bytes, context: FcContext) -> object:
    """Settle every shard whose ticket ``event`` names."""
    settings = current_settings()
    collect = CollectShard(
        store=open_store(settings, context),
        providers=open_providers(settings),
        clock=SystemClock(),
        run_id=new_run_id(),
        results_late=timedelta(seconds=settings.results_late_s),
    )
    return [collect(unit) for unit in tickets_in(event, Stage.FINISHED)]
