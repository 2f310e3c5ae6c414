"""Hears from EventBridge or RocketMQ that a batch may have ended."""

from __future__ import annotations

from shared.pipeline.hear import HearMessage
from shared.runtime.context import FcContext
from shared.runtime.event_trigger import event_handler
from shared.runtime.settings import current_settings
from shared.runtime.wiring.profiles import PROFILES
from shared.runtime.wiring.stores import open_store


@event_handler
def handler(event: bytes, context: FcContext) -> object:
    """Put a ``finished/`` ticket for every batch of ours that ``event`` names."""
    return {"heard": HearMessage(open_store(current_settings(), context), PROFILES)(event)}
