"""Writes the finished rows of one shard, and counts them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from shared.bucket.records.plan import Plan
from shared.formats.write_blocks import Blocks
from shared.ports.store import ObjectStore
from shared.results.formats import format_of, rendering_for
from shared.results.kept_rows import OriginalRow
from shared.results.rendering import SettledAnswer


class Counts(NamedTuple):
    """Rows by status; by code those whose answer is odd, by reason those where it is cut off.

    ``fitted``: by the try at which their answer fitted.
    """

    by_status: Counter[str]
    unread: Counter[str]
    cut_off: Counter[str]
    fitted: Counter[str]

    @classmethod
    def none(cls) -> Counts:
        return cls(*(Counter[str]() for _ in cls._fields))


def write_part(
    store: ObjectStore,
    plan: Plan,
    shard: int,
    key: str,
    rows: Iterable[tuple[OriginalRow, SettledAnswer | None]],
) -> Counts:
    """Write the part that these rows of the shard make, and what is needed beside it."""
    count, rendering = Counts.none(), rendering_for(plan)
    with store.open_writer(key) as writer:
        blocks = Blocks(lambda lines: writer.write(rendering.encode(lines)))
        if shard == 1:
            writer.write(rendering.header())
        for row, settled in rows:
            if settled is None or settled.misfits:
                raise AssertionError(f"row {row.custom_id!r} of {key} is open in a final part")
            _, status, code, answer, cut_off, fitted, _, _ = settled
            count.by_status[status] += 1
            if code:
                count.unread[code] += 1
            if cut_off:
                count.cut_off[cut_off] += 1
            if fitted:
                count.fitted[str(fitted)] += 1
            blocks.add(rendering.row(row.cells, answer))
        blocks.flush()
        writer.commit()
    format_of(plan).prepare(store, plan, shard, key)
    return count
