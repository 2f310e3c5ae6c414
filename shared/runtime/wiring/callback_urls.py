"""Wires the URL that the provider is told to call when a batch ends."""

from __future__ import annotations

from collections.abc import Callable

from shared.bucket.attempt import Attempt
from shared.events.callbacks import callback_path_for
from shared.runtime.settings import Settings


def callback_urls(settings: Settings) -> Callable[[Attempt], str | None]:
    """Signed URLs, or ``None`` for every shard where there is no public endpoint: then the timer polls."""
    base_url = settings.callback_base_url
    if base_url is None:
        return lambda _: None
    secret = settings.require_callback_secret().get_secret_value().encode()
    return lambda attempt: base_url + callback_path_for(attempt, secret)
