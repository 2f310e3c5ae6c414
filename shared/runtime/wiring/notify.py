"""Wires the function ``notify``."""

from __future__ import annotations

from shared.channels.settings import Channels
from shared.pipeline.words.tell import Tell
from shared.runtime.context import FcContext
from shared.runtime.settings import current_settings
from shared.runtime.system_clock import SystemClock
from shared.runtime.wiring.open_store import open_store


def tell_words(context: FcContext) -> Tell:
    settings = current_settings()
    given = settings.notify_channels.get_secret_value() if settings.notify_channels else "{}"
    return Tell(open_store(settings, context), SystemClock(), Channels(given).channel)
