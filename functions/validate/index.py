"""Checks every file that is dropped into ``inbox/`` and plans its job."""

from __future__ import annotations

from shared.events.oss import parse_oss_events
from shared.runtime.context import FcContext
from shared.runtime.event_trigger import event_handler
from shared.runtime.wiring.validate import validate_file


@event_handler
def handler(event: bytes, context: FcContext) -> object:
    """Validate every upload that ``event`` names, itself or by a ticket in ``again/``."""
    validate = validate_file(context)
    return [validate(upload) for upload in parse_oss_events(event)]
