"""Checks that a request to the address for events comes from EventBridge and a rule of ours."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from shared.events.signed_events import (
    CERTIFICATE_URL,
    SignedEvent,
    refusal_of,
    signature_of,
    strings_to_sign,
)
from shared.ports.clock import Clock
from shared.ports.signatures import SignatureVerifier
from shared.problems.exceptions import TransientError


@dataclass(frozen=True)
class CheckEvent:
    """Cheap checks first: the certificate is fetched only for a caller who knows the token.

    Attributes:
        token: What the rule's target is configured to send along.
        region: EventBridge's; it names the only host from which a certificate is taken.
        valid_for: How old an event may be, so that a recorded one is soon worthless.
    """

    token: str = field(repr=False)
    region: str
    clock: Clock
    verifier: SignatureVerifier
    valid_for: timedelta

    def __call__(self, event: SignedEvent) -> str | None:
        """Why the event is refused, in one word for the log; ``None`` if it is genuine."""
        refusal = refusal_of(event, self.token, self.region, self.clock.now(), self.valid_for)
        if refusal:
            return refusal
        url = event.headers[CERTIFICATE_URL]
        try:
            is_genuine = self.verifier.has_signed(url, signature_of(event), strings_to_sign(event))
        except TransientError:
            return "certificate_unavailable"  # a refused event is sent again
        return None if is_genuine else "signature"
