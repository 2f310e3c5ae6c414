"""Collects every shard whose ticket appears in ``finished/``."""

from __future__ import annotations

from shared.bucket.keys import Stage
from shared.events.oss import tickets_in
from shared.runtime.context import FcContext
from shared.runtime.event_trigger import event_handler
from shared.runtime.wiring.collect import collect_shard


@event_handler
def handler(event: bytes, context: FcContext) -> object:
    """Settle every shard whose ticket ``event`` names."""
    collect = collect_shard(context)
    return [collect(attempt) for attempt in tickets_in(event, Stage.FINISHED)]
