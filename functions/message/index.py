"""Hears from EventBridge or RocketMQ that a batch may have ended."""

from __future__ import annotations

from shared.runtime.context import FcContext
from shared.runtime.event_trigger import event_handler
from shared.runtime.wiring.message import hear_message


@event_handler
def handler(event: bytes, context: FcContext) -> object:
    """Put a ``finished/`` ticket for every batch of ours that ``event`` names."""
    hear = hear_message(context)
    return {"heard": hear(event)}
