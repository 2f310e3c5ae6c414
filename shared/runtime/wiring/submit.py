"""Wires the function ``submit``."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from shared.bucket.attempt import Attempt
from shared.events.callbacks import callback_path_for
from shared.pipeline.submit.submit_shard import SubmitShard
from shared.runtime.context import FcContext
from shared.runtime.settings import Settings, current_settings
from shared.runtime.system_clock import SystemClock
from shared.runtime.wiring.open_store import open_store
from shared.runtime.wiring.providers.open_providers import open_providers


def submit_shard(context: FcContext) -> SubmitShard:
    settings = current_settings()
    return SubmitShard(
        store=open_store(settings, context),
        providers=open_providers(settings),
        clock=SystemClock(),
        claim_lease=timedelta(seconds=settings.claim_lease_s),
        callback_url_for=_callback_urls(settings),
        month_budget=settings.month_budget,
    )


def _callback_urls(settings: Settings) -> Callable[[Attempt], str | None]:
    """Signed URLs, or always ``None`` without a public endpoint: then the timer polls."""
    base_url = settings.callback_base_url
    if base_url is None:
        return lambda _: None
    secret = settings.require_callback_secret().get_secret_value().encode()
    return lambda attempt: base_url + callback_path_for(attempt, secret)
