"""Submits every shard whose ticket appears in ``ready/``."""

from __future__ import annotations

from shared.bucket.keys import Stage
from shared.events.oss import tickets_in
from shared.runtime.context import FcContext
from shared.runtime.event_trigger import event_handler
from shared.runtime.wiring.submit import submit_shard


@event_handler
def handler(event: bytes, context: FcContext) -> object:
    """Submit every shard whose ticket ``event`` names."""
    submit = submit_shard(context)
    return [submit(attempt) for attempt in tickets_in(event, Stage.READY)]
