"""Joins objects inside a store: plans which bytes become which part, and does it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from shared.ports.store import ObjectHead
from shared.problems.exceptions import ObjectMissing
from shared.stores.pieces.writer import PieceWriter


@dataclass(frozen=True)
class PartBounds:
    """What a store says of the parts of an upload.

    Attributes:
        min_part_bytes: Every part but the last has at least so many.
        max_copy_bytes: At most so many are copied by one call.
        buffer_bytes: The writer sends all that was read once it has so many; not below the minimum.
    """

    min_part_bytes: int
    max_copy_bytes: int
    buffer_bytes: int


@dataclass(frozen=True)
class PartPlan:
    """One step: copy a range inside the store, or read it and append it to what was read before.

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

    @property
    def is_whole(self) -> bool:
        return (self.first, self.last) == (0, self.source.size_bytes - 1)


def join(
    writer: PieceWriter, sources: Sequence[ObjectHead], bounds: PartBounds, read: Callable[[PartPlan], bytes]
) -> None:
    """Write one object from others, in order; ``read`` fetches a step that is not copied."""
    with writer:
        for step in plan_parts(sources, bounds):
            if step.copies:
                writer.copy_part(step.source, step.first, step.last)
            else:
                writer.write(read(step))
        writer.commit()


def existing(head: Callable[[str], ObjectHead | None], keys: Sequence[str]) -> list[ObjectHead]:
    """The heads of all sources.

    Raises:
        ObjectMissing: One is not there.
    """
    found = []
    for key in keys:
        source = head(key)
        if source is None:
            raise ObjectMissing(f"{key}: there is no such object to concatenate")
        found.append(source)
    return found


def plan_parts(sources: Sequence[ObjectHead], bounds: PartBounds) -> Iterator[PartPlan]:
    """Steps that never make a part below the minimum, except the last one.

    What was read and is too small for a part is topped up from the next source.

    Args:
        sources: In the order of the result.
        bounds: The store's.
    """
    waiting_bytes = 0
    for source in sources:
        lead_bytes = _lead_bytes(waiting_bytes, source.size_bytes, bounds.min_part_bytes)
        if lead_bytes:
            yield PartPlan(source, 0, lead_bytes - 1, copies=False)
            waiting_bytes += lead_bytes
            if waiting_bytes >= bounds.buffer_bytes:
                waiting_bytes = 0
        if lead_bytes < source.size_bytes:
            yield from _copies(source, lead_bytes, bounds.max_copy_bytes)
            waiting_bytes = 0


def _lead_bytes(waiting_bytes: int, size_bytes: int, min_part_bytes: int) -> int:
    """How much of a source is read rather than copied: nothing, a top-up, or all of it."""
    if waiting_bytes == 0:
        return 0 if size_bytes >= min_part_bytes else size_bytes
    missing_bytes = max(min_part_bytes - waiting_bytes, 0)
    return missing_bytes if size_bytes - missing_bytes >= min_part_bytes else size_bytes


def _copies(source: ObjectHead, start: int, max_copy_bytes: int) -> Iterator[PartPlan]:
    # Equal ranges: a short rest after full ones could be too small for a part.
    size_bytes = source.size_bytes - start
    count = -(-size_bytes // max_copy_bytes)
    bounds = [start + size_bytes * number // count for number in range(count + 1)]
    for first, end in itertools.pairwise(bounds):
        yield PartPlan(source, first, end - 1, copies=True)
