"""Joins objects inside a store: plans which bytes become which part, and does it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from shared.ports.store import ObjectHead, ObjectStore
from shared.problems.exceptions import ObjectMissing
from shared.stores.pieces.writer import COPIES_AT_ONCE, PieceWriter


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
    store: ObjectStore,
    keys: Sequence[str],
    writer: PieceWriter,
    bounds: PartBounds,
    read_range: Callable[[PartPlan], bytes],
) -> None:
    """Write one object from others, in order.

    Raises:
        ObjectMissing: One of the sources is not there, or has changed.
    """
    sources = _existing_all(store, keys)
    with writer:
        for step in plan_parts(sources, bounds):
            if step.copies:
                writer.copy_part(step.source, step.first, step.last)
            elif step.is_whole:  # only a whole object has a checksum to compare with
                writer.write(b"".join(store.read(step.source.key, etag=step.source.etag)))
            else:
                writer.write(read_range(step))
        writer.commit()


def _existing_all(store: ObjectStore, keys: Sequence[str]) -> list[ObjectHead]:
    """Of each the head, several at once: a result may have hundreds of parts."""
    if len(keys) <= 1:
        return [_existing(store, key) for key in keys]
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - most functions join nothing

    with ThreadPoolExecutor(min(len(keys), COPIES_AT_ONCE), thread_name_prefix="heads") as pool:
        return list(pool.map(partial(_existing, store), keys))


def _existing(store: ObjectStore, key: str) -> ObjectHead:
    source = store.head(key)
    if source is None:
        raise ObjectMissing(f"{key}: there is no such object to concatenate")
    return source


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
