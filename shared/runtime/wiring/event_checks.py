"""Wires the check of EventBridge's requests, where that way is open."""

from __future__ import annotations

from shared.events.check_event import CheckEvent
from shared.pipeline.deadlines import EVENT_VALID
from shared.runtime.settings import Settings
from shared.runtime.wiring.clock import SystemClock


def event_check(settings: Settings) -> CheckEvent | None:
    """The check, or ``None`` without EVENTBRIDGE_TOKEN: then there is no address for events."""
    token = settings.eventbridge_token
    if token is None:
        return None
    from shared.runtime.certificates import CertificateVerifier  # noqa: PLC0415  # most have EventBridge call message

    return CheckEvent(
        token=token.get_secret_value(),
        region=settings.eventbridge_region,
        clock=SystemClock(),
        verifier=CertificateVerifier(),
        valid_for=EVENT_VALID,
    )
