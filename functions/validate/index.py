"""Checks every file that is dropped into ``inbox/`` and plans its job."""

from __future__ import annotations

from shared.events.oss import parse_oss_events
from shared.runtime.context import FcContext
from shared.runtime.event_trigger import event_handler
from shared.runtime.settings import current_settings
from shared.runtime.wiring.stores import open_store
from shared.runtime.wiring.validation import file_validation


@event_handler
def handler(event: bytes, context: FcContext) -> object:
    """Validate every upload that ``event`` names, itself or by a ticket in ``again/``."""
    settings = current_settings()
    validate = file_validation(settings, open_store(settings, context))
    return [validate(upload) for upload in parse_oss_events(event)]
