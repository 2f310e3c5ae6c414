"""Wires the function ``collect``."""

from __future__ import annotations

from datetime import timedelta

from shared.pipeline.collect.collect_shard import CollectShard
from shared.runtime.clock import SystemClock, new_run_id
from shared.runtime.context import FcContext
from shared.runtime.settings import current_settings
from shared.runtime.wiring.providers import open_providers
from shared.runtime.wiring.stores import open_store


def collect_shard(context: FcContext) -> CollectShard:
    settings = current_settings()
    return CollectShard(
        store=open_store(settings, context),
        providers=open_providers(settings),
        clock=SystemClock(),
        run_id=new_run_id(),
        results_late=timedelta(seconds=settings.results_late_s),
    )
