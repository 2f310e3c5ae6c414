"""The rows of a Parquet file as records, read by pyarrow a few pages at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import IO, TYPE_CHECKING

from pydantic import JsonValue

from shared.formats.record import Record, TableNotes
from shared.formats.sizes import MIB
from shared.formats.tables.cell_texts import cell_text, number_text, time_text
from shared.formats.tables.typed_cells import TypedCells
from shared.problems.exceptions import UserInputError
from shared.problems.problem import Problem, Values

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow.parquet import ParquetFile

_BUFFER_BYTES = MIB // 4
_BATCH_BYTES = 2 * MIB
_MAX_BATCH_BYTES = 8 * MIB
_FIRST_BATCH_ROWS = 4
# Raised by values in lists and structures, which become Python's: days beyond its calendar, unknown
# zones.
_UNREADABLE = (ValueError, ArithmeticError, LookupError)
# So pyarrow before 26, of a file in which nothing is wrong.
_FIXED_LISTS = "Expected all lists to be of size"
_NO_NUMBER = "nan"  # pandas writes it where a number is missing
_MAX_BATCH_ROWS = 128  # more are hardly faster


def parquet_records(file: IO[bytes], notes: TableNotes) -> Iterator[Record]:
    """Yield the column names, then every row; a record's line is its row number, the header's 0.

    Times with a zone come in UTC, durations as the number of their unit, lists and structures as
    JSON, missing values and NaN as ``""``; everything else as ``cell_text`` has it. ``notes`` gets
    the types of the columns.

    Raises:
        UserInputError: The file is not Parquet, or it is damaged.
    """
    import pyarrow as pa  # noqa: PLC0415  # 27 MB of the zip and 60 in memory, which only such files need
    import pyarrow.parquet as pq  # noqa: PLC0415  # the same

    # Gives memory back as it goes: the peak is 35 MB lower than with the default pool.
    pa.set_memory_pool(pa.system_memory_pool())
    try:
        # ``pre_buffer`` would hold a whole row group, and that may be the whole file.
        with pq.ParquetFile(file, buffer_size=_BUFFER_BYTES, pre_buffer=False) as table:
            names = tuple(table.schema_arrow.names)
            notes.column_types = tuple(map(_type_name, table.schema_arrow.types))
            yield Record(0, names)
            line = 1
            for batch in _batches(table):
                columns = [_Column(*each, line) for each in zip(names, batch.columns, strict=True)]
                has_nulls, nulls = any(each.null_count for each in batch.columns), _Nulls(batch)
                for at, cells in enumerate(zip(*(column.cells for column in columns), strict=True)):
                    kept = TypedCells.of(cells, at, nulls.typed) if has_nulls else cells
                    yield Record(line + at, kept, tuple(_problems(line + at, cells, columns)))
                line += batch.num_rows
    except (pa.ArrowException, OSError, ValueError) as error:
        code = "fixed_lists_with_nulls" if _FIXED_LISTS in str(error) else "unreadable_parquet"
        raise UserInputError([Problem(code, values={"reason": str(error)})]) from error


def _batches(table: ParquetFile) -> Iterator[pa.RecordBatch]:
    """All rows in batches of a bounded size.

    The size of rows is known only once they are decoded: the file holds a repeated value once. So
    the first batches of a row group are small. Where rows turn out too large, the group is read
    again in smaller batches.
    """
    for group in range(table.metadata.num_row_groups):
        done, rows, following = 0, 0, _FIRST_BATCH_ROWS
        while rows != following:
            rows = following
            for batch in _rest_of(table, group, rows, done):
                yield batch
                # Batches may grow only right after the first, or this might never end.
                following = _following_rows(batch, rows) if done else _fitting_rows(batch, _MAX_BATCH_ROWS)
                done += batch.num_rows
                if rows != following:
                    break


def _rest_of(table: ParquetFile, group: int, rows: int, done: int) -> Iterator[pa.RecordBatch]:
    for batch in table.iter_batches(batch_size=rows, row_groups=[group], use_threads=False):
        if done < batch.num_rows:
            yield batch.slice(done)
        done = max(done - batch.num_rows, 0)


def _following_rows(batch: pa.RecordBatch, rows: int) -> int:
    return rows if _decoded_bytes(batch) <= _MAX_BATCH_BYTES else _fitting_rows(batch, rows)


def _fitting_rows(batch: pa.RecordBatch, most: int) -> int:
    """How many rows of this size to decode at once."""
    rows: int = batch.num_rows
    return min(max(_BATCH_BYTES * rows // max(_decoded_bytes(batch), 1), 1), most)


def _decoded_bytes(batch: pa.RecordBatch) -> int:
    # All batches share the values of a dictionary.
    return sum(getattr(column, "indices", column).nbytes for column in batch.columns)


class _Nulls:
    """Which cells of a batch are null. Types say the rest, and few results want either."""

    def __init__(self, batch: pa.RecordBatch) -> None:
        self._batch = batch
        self._rows: list[Sequence[bool]] = []

    def typed(self, at: int, texts: Sequence[str]) -> list[JsonValue]:
        """The cells of a row as JSON: null or a text."""
        if not self._rows:
            self._rows = list(zip(*(each.is_null().to_pylist() for each in self._batch.columns), strict=True))
        return [None if is_null else text for is_null, text in zip(self._rows[at], texts, strict=False)]


def _type_name(kind: pa.DataType) -> str:
    """Arrow's name of the type that the values have; a dictionary only says how they are stored."""
    return str(getattr(kind, "value_type", kind) if str(kind).startswith("dictionary") else kind)


def _problems(line: int, cells: Sequence[str], columns: Sequence[_Column]) -> Iterator[Problem]:
    for column, cell in zip(columns, cells, strict=True):
        if column.unreadable and line in column.unreadable:
            yield Problem("unreadable_value", line, column.name, values={"reason": column.unreadable[line]})
        elif column.may_be_damaged and "\ufffd" in cell:
            values: Values = {"encoding": "utf-8", "position": len(cell[: cell.index("\ufffd")].encode()) + 1}
            yield Problem("invalid_encoding", line, column.name, "\ufffd", values)
        elif "\0" in cell:
            yield Problem("nul_character", line, column.name, values={"position": cell.index("\0") + 1})


class _Column:
    """One column of one batch as text; ``unreadable`` says by line why a cell failed."""

    def __init__(self, name: str, values: pa.Array, first_line: int) -> None:
        self.name = name
        self.may_be_damaged = False
        self.unreadable: dict[int, str] = {}
        try:
            self.cells = self._texts(values)
        except _UNREADABLE:
            self.cells = [self._one_text(values.slice(at, 1), first_line + at) for at in range(len(values))]

    def _one_text(self, value: pa.Array, line: int) -> str:
        try:
            return self._texts(value)[0]
        except _UNREADABLE as error:
            self.unreadable[line] = str(error)
            return ""

    def _texts(self, values: pa.Array) -> list[str]:
        from pyarrow import types  # noqa: PLC0415  # loaded by now

        if types.is_dictionary(values.type):
            return self._shared_texts(values)
        if types.is_string(values.type) or types.is_large_string(values.type):
            return self._strings(values)
        if types.is_floating(values.type):
            texts = values.cast("string").to_pylist()
            return [number_text(text) if text and text != _NO_NUMBER else "" for text in texts]
        if types.is_temporal(values.type):
            return _times(values)
        return [cell_text(value) for value in values.to_pylist()]

    def _shared_texts(self, values: pa.DictionaryArray) -> list[str]:
        used = values.indices.unique().drop_null()
        texts = dict(zip(used.to_pylist(), self._texts(values.dictionary.take(used)), strict=True))
        return [texts.get(index, "") for index in values.indices.to_pylist()]

    def _strings(self, values: pa.Array) -> list[str]:
        try:
            return [text or "" for text in values.to_pylist()]
        except UnicodeDecodeError:
            self.may_be_damaged = True
            raw = values.cast("large_binary").to_pylist()
            return [(each or b"").decode("utf-8", "replace") for each in raw]


def _times(values: pa.Array) -> list[str]:
    """By Arrow: Python has no nanoseconds or years beyond 9999, and needs a database of zones."""
    import pyarrow as pa  # noqa: PLC0415  # loaded by now

    zone = ""
    if pa.types.is_timestamp(values.type) and values.type.tz is not None:
        values, zone = values.cast(pa.timestamp(values.type.unit)), "Z"
    return [time_text(text) + zone if text else "" for text in values.cast("string").to_pylist()]
