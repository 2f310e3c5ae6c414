"""Tells people what happened to their files, by chat, e-mail or webhook."""

from __future__ import annotations

from shared.bucket.keys import OUTBOX
from shared.events.oss import keys_in
from shared.runtime.context import FcContext
from shared.runtime.event_trigger import event_handler
from shared.runtime.wiring.notify import tell_words


@event_handler
def handler(event: bytes, context: FcContext) -> object:
    """Tell each word of the outbox that ``event`` names; one that is refused hinders no other."""
    tell = tell_words(context)
    return [tell(key) for key in keys_in(event, OUTBOX)]
