"""A large Parquet result by shards: each writes its own row groups, and the store joins them.

One function instance would write 20,000,000 rows for longer than its time-out.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Collection, Mapping, Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from shared.bucket.records.plan import Plan
from shared.formats.tables.parquet_footer import MAGIC, FootersDiffer, description, footer_end, joined_footers
from shared.ports.clock import Pause
from shared.ports.store import ObjectStore, ObjectWriter
from shared.problems.exceptions import ObjectMissing
from shared.results.tables.arrow_columns import TEXT, ArrowColumn
from shared.results.tables.parquet_result import (
    parquet_of_no_rows,
    typed_columns,
    write_parquet,
    write_parquet_result,
)
from shared.results.tables.part_values import part_lines

# Of smaller shards there would be many small row groups, which readers take longer for.
_LEAST_ROWS = 10_000
_SIZE_BYTES = 8


def is_by_shard(plan: Plan) -> bool:
    return len(plan.shards) > 1 and plan.rows >= _LEAST_ROWS * len(plan.shards)


def write_piece(store: ObjectStore, plan: Plan, shard: int, part: str) -> None:
    """Write a part's row groups beside it, and last their footer.

    A column in which a value has not the column's type is one of texts.
    """
    columns = typed_columns(plan, lambda: part_lines(store, [part]))
    while misfits := _write(store, shard, part, part, columns):
        columns = _without(columns, misfits)


def _write(
    store: ObjectStore, shard: int, part: str, name: str, columns: Mapping[int, ArrowColumn]
) -> set[int]:
    """Write one, or nothing of it and return the places of the columns that do not fit."""
    with store.open_writer(_rows_key(name)) as rows:
        piece = _Piece(rows, 0 if shard == 1 else len(MAGIC))
        if misfits := write_parquet(part_lines(store, [part]), columns, piece, piece.begin_footer):
            return misfits
        rows.commit()
    store.put(_footer_key(name), rows.size_bytes.to_bytes(_SIZE_BYTES, "little") + piece.footer())
    return set()


def _without(columns: Mapping[int, ArrowColumn], misfits: Collection[int]) -> dict[int, ArrowColumn]:
    return {place: column for place, column in columns.items() if place not in misfits}


def join_pieces(store: ObjectStore, pieces: Sequence[str], key: str) -> bool:
    """Write the result from the pieces of all parts; false if one has none, or other columns.

    Raises:
        ObjectMissing: The row groups of one of them are gone.
    """
    footers: list[tuple[bytes, int]] = []
    size_bytes = 0
    try:
        for piece in pieces:
            content = store.get(_footer_key(piece))
            # All but the first lack the bytes that a file begins with.
            footers.append((content[_SIZE_BYTES:], size_bytes - len(MAGIC) if size_bytes else 0))
            size_bytes += int.from_bytes(content[:_SIZE_BYTES], "little")
        end = footer_end(joined_footers(footers))
    except (ObjectMissing, FootersDiffer):
        return False
    end_key = f"{pieces[-1]}.end"
    store.put(end_key, end)
    store.concatenate(key, [*map(_rows_key, pieces), end_key])
    return True


def make_alike(store: ObjectStore, plan: Plan, parts: Sequence[str], pause: Pause) -> list[str]:
    """Pieces of all parts with the same columns: those that there are, and others beside them.

    Where the library was upgraded between two shards, what it wrote before is written again: it may
    describe the same columns in other words, and so it cannot be joined.

    One that was written stays, so whoever is killed or pauses is followed by one that goes on.

    Raises:
        ObjectMissing: One of the parts is not there.
        WorkLeft: By ``pause``.
    """
    there = {part: _described(store, part) for part in parts}
    columns = typed_columns(plan, lambda: part_lines(store, parts))
    columns = _without(columns, {place for types, _ in there.values() for place in _misfits(types, columns)})
    line = next(iter(part_lines(store, parts)), b"{}")
    while True:
        wanted = description(_footer_of(parquet_of_no_rows(line, columns)))
        pieces: list[str] = []
        misfits: set[int] = set()
        for shard, part in enumerate(parts, 1):
            is_alike = there[part][1] == wanted
            pieces.append(part if is_alike else f"{part}.{_digest(wanted)}")
            if is_alike or store.head(_footer_key(pieces[-1])):
                continue
            if misfits := _write(store, shard, part, pieces[-1], columns):
                break
            pause()
        if not misfits:
            return pieces
        columns = _without(columns, misfits)


def _described(store: ObjectStore, part: str) -> tuple[list[pa.DataType], bytes]:
    """The columns of its piece; none if an older version left it without."""
    try:
        footer = store.get(_footer_key(part))[_SIZE_BYTES:]
    except ObjectMissing:
        return [], b""
    return list(pq.read_schema(io.BytesIO(MAGIC + footer_end(footer))).types), description(footer)


def _misfits(types: Sequence[pa.DataType], columns: Mapping[int, ArrowColumn]) -> set[int]:
    """The columns of which a piece has texts. It has texts too where it has no vector at all."""
    texts = {place for place, kind in enumerate(types) if kind == TEXT.type}
    return {place for place in texts & columns.keys() if not pa.types.is_nested(columns[place].type)}


def _digest(described: bytes) -> str:
    return hashlib.sha256(described).hexdigest()[:8]


def write_result(store: ObjectStore, plan: Plan, parts: list[str], key: str, pause: Pause) -> None:
    """Join the pieces. Write all rows at once if they are few, or pieces are deleted meanwhile.

    Raises:
        ObjectMissing: One of the parts is not there.
        WorkLeft: By ``pause``.
    """
    is_joined = is_by_shard(plan) and (
        join_pieces(store, parts, key) or join_pieces(store, make_alike(store, plan, parts, pause), key)
    )
    if not is_joined:
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
        return _without_end(end)


def _footer_of(file: bytes) -> bytes:
    """Of a file without row groups, which begin behind the format's mark."""
    return _without_end(file[len(MAGIC) :])


def _without_end(footer: bytes) -> bytes:
    return footer[: -len(footer_end(b""))]


def _rows_key(part: str) -> str:
    return f"{part}.rows"


def _footer_key(part: str) -> str:
    return f"{part}.footer"
