"""The callback's unguessable path: it names one shard and attempt, and proves that we made it."""

from __future__ import annotations

import hashlib
import hmac

from shared.bucket.attempt import Attempt, parse_attempt


def callback_path_for(attempt: Attempt, secret: bytes) -> str:
    """Bailian signs nothing and documents no body, so the path itself carries the proof."""
    return f"/finished/{attempt}/{_signature(attempt, secret)}"


def verified_attempt(attempt_text: str, signature: str, secret: bytes) -> Attempt | None:
    """The shard and attempt that a callback names, or ``None`` unless its signature is ours. Constant time.

    The signature covers job, attempt and shard, so that of one opens no other. Any text may be given.
    """
    attempt = parse_attempt(attempt_text)
    expected = _signature(attempt, secret) if attempt else ""
    # What a URL was decoded into may hold lone surrogates, which have no encoding; of ours none has.
    is_ours = hmac.compare_digest(signature.encode(errors="replace"), expected.encode())
    return attempt if attempt and is_ours else None


def _signature(attempt: Attempt, secret: bytes) -> str:
    return hmac.new(secret, f"batchdrop-callback:{attempt}".encode(), hashlib.sha256).hexdigest()
