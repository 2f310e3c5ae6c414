"""Wires the function ``notify``."""

from __future__ import annotations

from functools import cache

from shared.channels.settings import Channels
from shared.pipeline.words.silent_channels import SilentChannels
from shared.pipeline.words.tell import Tell
from shared.pipeline.words.word_links import WordLinks
from shared.runtime.context import FcContext
from shared.runtime.settings import current_settings
from shared.runtime.system_clock import SystemClock
from shared.runtime.wiring.open_store import open_store


def tell_words(context: FcContext) -> Tell:
    settings = current_settings()
    given = settings.notify_channels.get_secret_value() if settings.notify_channels else "{}"
    channels, clock = Channels(given), SystemClock()
    secret = settings.page_secret.get_secret_value().encode() if settings.page_secret else None
    links = WordLinks(settings.page_url, secret, channels.link_days, clock)
    return Tell(open_store(settings, context), clock, channels.channel, links, _silent())


@cache
def _silent() -> SilentChannels:
    """As long as this instance lives."""
    return SilentChannels()
