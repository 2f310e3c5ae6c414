"""Wires the function ``callback``."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from shared.events.check_event import CheckEvent
from shared.pipeline.deadlines import EVENT_VALID
from shared.pipeline.hear import HearCallback, HearMessage
from shared.runtime.context import FcContext
from shared.runtime.settings import Settings, current_settings
from shared.runtime.system_clock import SystemClock
from shared.runtime.wiring.open_store import open_store
from shared.runtime.wiring.providers.profiles import PROFILES


class CallbackEndpoint(NamedTuple):
    """What answers requests. Each request brings its own credentials, in its context."""

    hear_callback: Callable[[FcContext], HearCallback]
    hear_message: Callable[[FcContext], HearMessage]
    check_event: CheckEvent | None


def callback_endpoint() -> CallbackEndpoint:
    settings = current_settings()
    secret = settings.require_callback_secret().get_secret_value().encode()
    return CallbackEndpoint(
        hear_callback=lambda context: HearCallback(open_store(settings, context), secret),
        hear_message=lambda context: HearMessage(open_store(settings, context), PROFILES),
        check_event=event_check(settings),
    )


def event_check(settings: Settings) -> CheckEvent | None:
    """Checks EventBridge's requests; ``None`` without EVENTBRIDGE_TOKEN, which closes that way."""
    token = settings.eventbridge_token
    if token is None:
        return None
    # Most stacks let EventBridge call message instead.
    from shared.runtime.certificates import CertificateVerifier  # noqa: PLC0415

    return CheckEvent(
        token=token.get_secret_value(),
        region=settings.eventbridge_region,
        clock=SystemClock(),
        verifier=CertificateVerifier(),
        valid_for=EVENT_VALID,
    )
