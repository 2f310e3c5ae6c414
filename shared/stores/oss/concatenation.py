"""Plans which bytes of which sources become which part when OSS concatenates objects; pure."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shared.ports.store import ObjectHead

# Every part but the last is at least 100 KB:
# https://help.aliyun.com/en/oss/user-guide/multipart-upload
MIN_PART_BYTES = 100 * 1024
# Sources above 1 GB are copied by ranges:
# https://help.aliyun.com/en/oss/developer-reference/uploadpartcopy
MAX_COPY_BYTES = 1024**3


@dataclass(frozen=True)
class PartPlan:
    """One step: copy a range inside OSS, or read it and append it to what was read before.

    Attributes:
        first: Offset of the first byte in the source.
        last: Offset of the last byte, inclusive.
        copies: Whether the range becomes a part of its own, copied by the server. What was read
            before and not sent yet becomes a part first.
    """

    source: ObjectHead
    first: int
    last: int
    copies: bool


def plan_parts(sources: Sequence[ObjectHead], *, buffer_bytes: int) -> Iterator[PartPlan]:
    """Steps that never make a part below ``MIN_PART_BYTES``, except the last one.

    What was read and is too small for a part is topped up from the next source.

    Args:
        sources: In the order of the result.
        buffer_bytes: The writer sends all that was read once it has this many bytes.
    """
    waiting_bytes = 0
    for source in sources:
        lead_bytes = _lead_bytes(waiting_bytes, source.size_bytes)
        if lead_bytes:
            yield PartPlan(source, 0, lead_bytes - 1, copies=False)
            waiting_bytes += lead_bytes
            if waiting_bytes >= buffer_bytes:
                waiting_bytes = 0
        if lead_bytes < source.size_bytes:
            yield from _copies(source, lead_bytes)
            waiting_bytes = 0


def _lead_bytes(waiting_bytes: int, size_bytes: int) -> int:
    """How much of a source is read rather than copied: nothing, a top-up, or all of it."""
    if waiting_bytes == 0:
        return 0 if size_bytes >= MIN_PART_BYTES else size_bytes
    missing_bytes = max(MIN_PART_BYTES - waiting_bytes, 0)
    return missing_bytes if size_bytes - missing_bytes >= MIN_PART_BYTES else size_bytes


def _copies(source: ObjectHead, start: int) -> Iterator[PartPlan]:
    # Equal ranges: a short rest after full ones could be too small for a part.
    size_bytes = source.size_bytes - start
    count = -(-size_bytes // MAX_COPY_BYTES)
    bounds = [start + size_bytes * number // count for number in range(count + 1)]
    for first, end in itertools.pairwise(bounds):
        yield PartPlan(source, first, end - 1, copies=True)
