"""Writes a job's result as Parquet, from its finished parts and in the memory of one row group."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from itertools import chain

import pyarrow as pa
import pyarrow.parquet as pq

from shared.bucket.records.plan import Plan
from shared.formats.sizes import MIB
from shared.ports.store import ObjectStore
from shared.results.tables.arrow_columns import ANSWERS, COUNT, TEXT, VECTORS, ArrowColumn, own_column
from shared.results.tables.object_file import ObjectFile, Sink
from shared.results.tables.part_values import Places, members, part_lines, values_reader

# The JSON of one row group. Readers take a row group at a time, too, and larger ones a bit faster.
_GROUP_BYTES = 8 * MIB
_GROUP_ROWS = 50_000


def write_parquet_result(store: ObjectStore, plan: Plan, parts: Sequence[str], key: str) -> None:
    """Write the object ``key`` from the parts, whose lines are those of a JSONL result.

    Columns have the types that are known of them, all others are texts; what JSONL has as objects,
    arrays or answers without a type is JSON text there. The same parts give the same bytes.

    Raises:
        ObjectMissing: One of the parts is not there.
    """
    columns = typed_columns(plan, lambda: part_lines(store, parts))
    while True:
        with store.open_writer(key) as writer:
            misfits = write_parquet(part_lines(store, parts), columns, writer)
            if not misfits:
                writer.commit()
                return
        # Nothing of it may be lost, so from the first row on such a column is one of texts.
        columns = {place: column for place, column in columns.items() if place not in misfits}


def typed_columns(plan: Plan, lines: Callable[[], Iterable[bytes]]) -> dict[int, ArrowColumn]:
    """By its place, each column that is not a text. Plans of older versions have counts only."""
    places = Places(plan)
    columns = dict.fromkeys(places.numbers, COUNT)
    if not plan.is_typed:
        return columns
    for place, name in enumerate(plan.column_types[: places.own]):
        if column := own_column(name):
            columns[place] = column
    columns |= {place: ANSWERS[kind] for place, kind in places.answers.items() if kind in ANSWERS}
    if places.vector is not None and _has_one_vector_a_row(lines(), places.vector):
        columns[places.vector] = VECTORS
    return columns


def _has_one_vector_a_row(lines: Iterable[bytes], place: int) -> bool:
    """By the first that has any."""
    read = values_reader([place])
    found = next(filter(None, (read(line)[place] for line in lines)), None)
    return isinstance(found, list) and not isinstance(found[0], list)


def write_parquet(
    lines: Iterable[bytes],
    columns: Mapping[int, ArrowColumn],
    writer: Sink,
    before_footer: Callable[[], None] = lambda: None,
) -> set[int]:
    """Write JSON objects of the same keys, until one has values that do not fit their columns.

    Args:
        lines: The objects.
        columns: By place, those that are no texts.
        writer: Takes the file.
        before_footer: Called when all row groups are written, and the footer is not.

    Returns:
        The places of those columns; none if all is written.
    """
    pa.set_memory_pool(pa.system_memory_pool())  # gives memory back as it goes
    rest = iter(lines)
    first = next(rest, b"{}")
    schema = _schema(first, columns)
    made = [columns.get(place, TEXT) for place in range(len(schema))]
    with closing(ObjectFile(writer)) as sink, pq.ParquetWriter(sink, schema) as table:
        for group in _groups(chain([first], rest), values_reader(columns)):
            arrays, misfits = _arrays(group, made)
            if misfits:
                return misfits
            table.write_batch(pa.record_batch(arrays, schema=schema))
        before_footer()
    return set()


def parquet_of_no_rows(line: bytes, columns: Mapping[int, ArrowColumn]) -> bytes:
    """The file that ``write_parquet`` would begin with this line, without a row."""
    content = io.BytesIO()
    pq.ParquetWriter(content, _schema(line, columns)).close()
    return content.getvalue()


def _schema(line: bytes, columns: Mapping[int, ArrowColumn]) -> pa.Schema:
    names = (name for name, _, _ in members(line))
    return pa.schema([(name, columns.get(place, TEXT).type) for place, name in enumerate(names)])


def _arrays(
    group: Iterable[Sequence[object]], columns: Iterable[ArrowColumn]
) -> tuple[list[pa.Array], set[int]]:
    made = list(map(_array, columns, zip(*group, strict=True)))
    return made, {place for place, each in enumerate(made) if each is None}


def _array(column: ArrowColumn, values: Sequence[object]) -> pa.Array | None:
    try:
        return column.array(values)
    except (pa.ArrowException, ValueError, TypeError):
        return None


def _groups(lines: Iterable[bytes], read: Callable[[bytes], list[object]]) -> Iterator[list[list[object]]]:
    group: list[list[object]] = []
    size_bytes = 0
    for line in lines:
        group.append(read(line))
        size_bytes += len(line)
        if size_bytes >= _GROUP_BYTES or len(group) == _GROUP_ROWS:
            yield group
            group, size_bytes = [], 0
    if group:
        yield group
