"""The callback's path: it names one attempt, cannot be guessed, and proves that we made it."""

from __future__ import annotations

import hashlib
import hmac

from shared.bucket.attempt import Attempt, parse_attempt


def callback_path_for(attempt: Attempt, secret: bytes) -> str:
    """Bailian signs nothing and documents no body, so the path itself carries the proof."""
    return f"/finished/{attempt}/{_signature(attempt, secret)}"


def verified_attempt(attempt_text: str, signature: str, secret: bytes) -> Attempt | None:
    """The attempt that a callback names, or ``None`` if the signature is not ours.

    Takes constant time and any text. The signature covers job, attempt and shard, so that of one
    attempt opens no other.
    """
    attempt = parse_attempt(attempt_text)
    expected = _signature(attempt, secret) if attempt else ""
    # A decoded URL may hold lone surrogates, which cannot be encoded; our signatures hold none.
    is_ours = hmac.compare_digest(signature.encode(errors="replace"), expected.encode())
    return attempt if attempt and is_ours else None


def _signature(attempt: Attempt, secret: bytes) -> str:
    return hmac.new(secret, f"batchdrop-callback:{attempt}".encode(), hashlib.sha256).hexdigest()
