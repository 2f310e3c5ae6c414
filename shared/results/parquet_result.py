"""Writes a job's result as Parquet, from its finished parts and in the memory of one row group."""

from __future__ import annotations

import io
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import closing
from itertools import chain

from shared.bucket.records import Plan
from shared.formats.json.policies import LENIENT
from shared.formats.lines import byte_lines
from shared.formats.sizes import MIB
from shared.ports.store import ObjectStore, ObjectWriter
from shared.results.columns import ResultColumns

# The JSON of one row group. Readers take a row group at a time, too, and larger ones a bit faster.
_GROUP_BYTES = 8 * MIB
_GROUP_ROWS = 50_000
_MAX_INT64 = 2**63 - 1


def write_parquet_result(store: ObjectStore, plan: Plan, parts: Sequence[str], key: str) -> None:
    """Write the object ``key`` from the parts, whose lines are those of a JSONL result.

    The file's own columns and all texts are strings, counts and times are 64-bit integers. What
    JSONL has as objects, arrays or typed answers is JSON text. The same parts give the same bytes.

    Raises:
        ObjectMissing: One of the parts is not there.
    """
    lines = chain.from_iterable(byte_lines(store.read(part)) for part in parts)
    with store.open_writer(key) as writer:
        write_parquet(lines, numbers_at(plan), writer)
        writer.commit()


def numbers_at(plan: Plan) -> frozenset[int]:
    """Where the counts and times are. By place: the file may have columns of the same names."""
    result = ResultColumns(plan.kind, plan.result_columns)
    begin = len(plan.columns) if result.is_table else 0
    return frozenset(begin + index for index in result.numbers())


def write_parquet(lines: Iterable[bytes], numbers: Collection[int], writer: ObjectWriter) -> None:
    """Write JSON objects of the same keys. The columns at ``numbers``, from 0, are integers."""
    import pyarrow as pa  # noqa: PLC0415  # 35 to 40 MB of the zip and 60 in memory, which only such results need
    import pyarrow.parquet as pq  # noqa: PLC0415  # the same

    pa.set_memory_pool(pa.system_memory_pool())  # gives memory back as it goes
    rest = iter(lines)
    first = next(rest, b"{}")
    names = [name for name, _, _ in _members(first)]
    is_number = [index in numbers for index in range(len(names))]
    schema = pa.schema(
        [(name, pa.int64() if number else pa.string()) for name, number in zip(names, is_number, strict=True)]
    )
    with closing(_Sink(writer)) as sink, pq.ParquetWriter(sink, schema) as table:
        for group in _groups(chain([first], rest), is_number):
            columns = map(list, zip(*group, strict=True))
            table.write_batch(pa.record_batch(list(columns), schema=schema))


def _groups(lines: Iterable[bytes], is_number: list[bool]) -> Iterator[list[list[int | str | None]]]:
    group: list[list[int | str | None]] = []
    size_bytes = 0
    for line in lines:
        group.append(_cells(line, is_number))
        size_bytes += len(line)
        if size_bytes >= _GROUP_BYTES or len(group) == _GROUP_ROWS:
            yield group
            group, size_bytes = [], 0
    if group:
        yield group


def _cells(line: bytes, is_number: list[bool]) -> list[int | str | None]:
    return [
        _number(value) if number else _text(value, raw)
        for number, (_, value, raw) in zip(is_number, _members(line), strict=True)
    ]


def _members(line: bytes) -> Iterator[tuple[str, object, str]]:
    """Name, value and the value's text of each member. There are no spaces between them."""
    text = line.decode().rstrip("\n")
    end = 0
    # orjson does not tell where a value ends. Lenient, because the job has to end.
    while end < len(text) - 2:
        name, colon = LENIENT.raw_decode(text, end + 1)
        value, end = LENIENT.raw_decode(text, colon + 1)
        yield name, value, text[colon + 1 : end]


def _number(value: object) -> int | None:
    # Counts come from outside. One that 64 bits cannot hold must not stop the job.
    return value if type(value) is int and abs(value) <= _MAX_INT64 else None


def _text(value: object, raw: str) -> str | None:
    """A text as it is, anything else as JSONL has it: writing it again would change digits."""
    return value if value is None or isinstance(value, str) else raw


class _Sink(io.RawIOBase):
    """The file that pyarrow writes to. Closing it does not publish the object."""

    def __init__(self, writer: ObjectWriter) -> None:
        self._writer = writer

    def writable(self) -> bool:
        return True

    def write(self, content: object) -> int:
        chunk = bytes(memoryview(content))  # type: ignore[arg-type]  # any buffer, as RawIOBase has it
        self._writer.write(chunk)
        return len(chunk)
