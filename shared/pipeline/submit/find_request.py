"""What one attempt of a shard sends."""

from __future__ import annotations

from collections.abc import Callable

from shared.bucket.attempt import Attempt
from shared.bucket.records.plan import Plan
from shared.ports.provider import BatchRequest
from shared.ports.store import ObjectStore


def find_request(
    store: ObjectStore, plan: Plan, attempt: Attempt, callback_url_for: Callable[[Attempt], str | None]
) -> BatchRequest | None:
    """The batch to ask for; ``None`` if somebody deleted its request lines."""
    key = plan.requests_key(attempt)
    head = store.head(key)
    if head is None:
        return None
    return BatchRequest(
        name=attempt.batch_name,
        object_key=key,
        size_bytes=head.size_bytes,
        crc64=head.crc64,
        open_lines=lambda: store.read(key),
        endpoint=plan.endpoint,
        model=plan.model,
        completion_window=plan.completion_window,
        description=f"{attempt.job_id} {attempt.shard}/{len(plan.shards)}",
        callback_url=callback_url_for(attempt),
        metadata={"batchdrop": str(attempt)},
    )
