"""A large Parquet result by shards: each writes its own row groups, and the store joins them.

One function instance would write 20,000,000 rows for longer than its time-out.
"""

from __future__ import annotations

import io

from shared.bucket.records import Plan
from shared.formats.tables.parquet_footer import MAGIC, FootersDiffer, footer_end, joined_footers
from shared.ports.store import ObjectStore, ObjectWriter
from shared.problems.exceptions import ObjectMissing
from shared.results.tables.parquet_result import typed_columns, write_parquet, write_parquet_result
from shared.results.tables.part_values import part_lines

# Of smaller shards there would be many small row groups, which readers take longer for.
_LEAST_ROWS = 10_000
_SIZE_BYTES = 8


def is_by_shard(plan: Plan) -> bool:
    return len(plan.shards) > 1 and plan.rows >= _LEAST_ROWS * len(plan.shards)


def write_piece(store: ObjectStore, plan: Plan, shard: int, part: str) -> bool:
    """Write a part's row groups beside it, and last their footer; false if it must not count.

    That is, if a value does not fit its column: of all shards such a column is one of texts.
    """
    columns = typed_columns(plan, lambda: part_lines(store, [part]))
    with store.open_writer(_rows_key(part)) as rows:
        piece = _Piece(rows, 0 if shard == 1 else len(MAGIC))
        if write_parquet(part_lines(store, [part]), columns, piece, piece.begin_footer):
            return False
        rows.commit()
    store.put(_footer_key(part), rows.size_bytes.to_bytes(_SIZE_BYTES, "little") + piece.footer())
    return True


def join_pieces(store: ObjectStore, parts: list[str], key: str) -> bool:
    """Write the result from the pieces of all parts; false if one has none, or other columns.

    Raises:
        ObjectMissing: The row groups of one of them are gone.
    """
    footers: list[tuple[bytes, int]] = []
    size_bytes = 0
    try:
        for part in parts:
            content = store.get(_footer_key(part))
            # All but the first lack the bytes that a file begins with.
            footers.append((content[_SIZE_BYTES:], size_bytes - len(MAGIC) if size_bytes else 0))
            size_bytes += int.from_bytes(content[:_SIZE_BYTES], "little")
        end = footer_end(joined_footers(footers))
    except (ObjectMissing, FootersDiffer):
        return False
    end_key = f"{parts[-1]}.end"
    store.put(end_key, end)
    store.concatenate(key, [*map(_rows_key, parts), end_key])
    return True


def write_result(store: ObjectStore, plan: Plan, parts: list[str], key: str) -> None:
    """Join the pieces, or write all rows at once: without them, as an older version left a shard.

    Raises:
        ObjectMissing: One of the parts is not there.
    """
    if not (is_by_shard(plan) and join_pieces(store, parts, key)):
        write_parquet_result(store, plan, parts, key)


class _Piece:
    """Takes a Parquet file, and keeps its row groups and its footer apart."""

    def __init__(self, rows: ObjectWriter, skipped_bytes: int) -> None:
        self._rows = rows
        self._skipped_bytes = skipped_bytes
        self._end: io.BytesIO | None = None

    def write(self, chunk: bytes) -> None:
        if self._end is not None:
            self._end.write(chunk)
            return
        skipped = min(self._skipped_bytes, len(chunk))
        self._skipped_bytes -= skipped
        self._rows.write(chunk[skipped:])

    def begin_footer(self) -> None:
        self._end = io.BytesIO()

    def footer(self) -> bytes:
        """Without its length and the format's mark, which end a file."""
        end = self._end.getvalue() if self._end else b""
        return end[: -len(footer_end(b""))]


def _rows_key(part: str) -> str:
    return f"{part}.rows"


def _footer_key(part: str) -> str:
    return f"{part}.footer"
