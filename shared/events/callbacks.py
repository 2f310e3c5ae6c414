"""The callback's unguessable path: it names one shard and attempt, and proves that we made it."""

from __future__ import annotations

import hashlib
import hmac

from shared.bucket.attempt import ShardAttempt, parse_shard_attempt


def callback_path_for(unit: ShardAttempt, secret: bytes) -> str:
    """Bailian signs nothing and documents no body, so the path itself carries the proof."""
    return f"/finished/{unit}/{_signature(unit, secret)}"


def verified_unit(unit_text: str, signature: str, secret: bytes) -> ShardAttempt | None:
    """The shard and attempt that a callback names, or ``None`` unless its signature is ours. Constant time.

    The signature covers job, attempt and shard, so that of one opens no other. Any text may be given.
    """
    unit = parse_shard_attempt(unit_text)
    expected = _signature(unit, secret) if unit else ""
    # What a URL was decoded into may hold lone surrogates, which have no encoding; of ours none has.
    is_ours = hmac.compare_digest(signature.encode(errors="replace"), expected.encode())
    return unit if unit and is_ours else None


def _signature(unit: ShardAttempt, secret: bytes) -> str:
    return hmac.new(secret, f"batchdrop-callback:{unit}".encode(), hashlib.sha256).hexdigest()
