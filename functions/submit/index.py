"""Submits every shard whose ticket appears in ``ready/``."""

from __future__ import annotations

from datetime import timedelta

from shared.bucket.keys import Stage
from shared.events.oss import tickets_in
from shared.pipeline.submit.submit_shard import SubmitShard
from shared.runtime.context import FcContext
from shared.runtime.event_trigger import event_handler
from shared.runtime.settings import current_settings
from shared.runtime.wiring.callback_urls import callback_urls
from shared.runtime.wiring.clock import SystemClock, new_run_id
from shared.runtime.wiring.providers import open_providers
from shared.runtime.wiring.stores import open_store


@event_handler
def handler(event: bytes, context: FcContext) -> object:
    """Submit every shard whose ticket ``event`` names."""
    settings = current_settings()
    submit = SubmitShard(
        store=open_store(settings, context),
        providers=open_providers(settings),
        clock=SystemClock(),
        claim_lease=timedelta(seconds=settings.claim_lease_s),
        token=new_run_id(),
        callback_url_for=callback_urls(settings),
    )
    return [submit(attempt) for attempt in tickets_in(event, Stage.READY)]
