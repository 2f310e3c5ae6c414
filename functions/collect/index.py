"""Collects every shard whose ticket appears in ``finished/``."""

from __future__ import annotations

from datetime import timedelta

from shared.bucket.keys import Stage
from shared.events.oss import tickets_in
from shared.pipeline.collect.collect_shard import CollectShard
from shared.runtime.context import FcContext
from shared.runtime.event_trigger import event_handler
from shared.runtime.settings import current_settings
from shared.runtime.wiring.clock import SystemClock, new_run_id
from shared.runtime.wiring.providers import open_providers
from shared.runtime.wiring.stores import open_store


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
    return [collect(attempt) for attempt in tickets_in(event, Stage.FINISHED)]
