"""Wires the check of EventBridge's requests, where that way is open."""

from __future__ import annotations

from shared.runtime.clock import SystemClock
from shared.runtime.settings import Settings
from shared.services.check_event import CheckEvent
from shared.services.deadlines import EVENT_VALID


def event_check(settings: Settings) -> CheckEvent | None:
    """The check, or ``None`` without EVENTBRIDGE_TOKEN: then there is no address for events."""
    token = settings.eventbridge_token
    if token is None:
        return None
    from shared.adapters.certificates import CertificateVerifier  # noqa: PLC0415  # most have EventBridge call message

    return CheckEvent(
        token=token.get_secret_value(),
        region=settings.eventbridge_region,
        clock=SystemClock(),
        verifier=CertificateVerifier(),
        valid_for=EVENT_VALID,
    )
