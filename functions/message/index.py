"""Hears from EventBridge or RocketMQ that a batch may have ended."""

from __future__ import annotations

from shared.runtime.context import FcContext
from shared.runtime.events import event_handler
from shared.runtime.profiles import PROFILES
from shared.runtime.settings import current_settings
from shared.runtime.stores import open_store
from shared.services.hear_message import HearMessage


@event_handler
def handler(event: bytes, context: FcContext) -> object:
    """Put a ``finished/`` ticket for every batch of ours that ``event`` names."""
    return {"heard": HearMessage(open_store(current_settings(), context), PROFILES)(event)}
