"""Decides what to do about a shard that has a ticket and no submission, before anything is done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from shared.bucket.records.submission import SubmissionKind
from shared.ports.provider import BatchId


@dataclass(frozen=True)
class Create:
    """There is no batch: claim a slot and create one."""


@dataclass(frozen=True)
class Adopt:
    """An interrupted call created this batch: record it."""

    batch_id: BatchId


@dataclass(frozen=True)
class Wait:
    """Another invocation may be creating the batch now: leave the shard to it."""


@dataclass(frozen=True)
class Close:
    """Create no batch: record why, for the shard's rows."""

    kind: SubmissionKind
    code: str = ""
    message: str = ""


Decision = Create | Adopt | Wait | Close
CANCELLED = Close(SubmissionKind.CANCELLED, message="The job was cancelled before this was sent.")


def decide(
    *,
    is_claimed: bool,
    is_sent: bool,
    find_batch: Callable[[], BatchId | None],
    find_reason: Callable[[], Close | Wait | None],
) -> Decision:
    """Decide by what is found, in this order, and look no further than needed.

    Args:
        is_claimed: A claim stands whose lease is not over.
        is_sent: See ``Plan.is_sent``; what is kept is never sent, whatever its ticket says.
        find_batch: Looks for a batch of an earlier claim. A batch that exists is paid for, so it
            counts more than any reason not to send.
        find_reason: Looks for a reason not to send, or not yet.
    """
    if is_claimed:
        return Wait()
    if not is_sent:
        return Close(SubmissionKind.KEPT)
    batch_id = find_batch()
    if batch_id:
        return Adopt(batch_id)
    return find_reason() or Create()
