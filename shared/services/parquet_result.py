"""Writes a job's result as Parquet, from its finished parts and in the memory of one row group."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from itertools import chain

from shared.domain.byte_lines import byte_lines
from shared.domain.limits import MIB
from shared.domain.records import Plan
from shared.domain.result_columns import REQUEST_KIND
from shared.domain.texts import MAX_INT_DIGITS
from shared.ports import ObjectStore, ObjectWriter

# Of the JSON that becomes one row group. Readers work a row group at a time too: larger ones are read a little faster.
_GROUP_BYTES = 8 * MIB
_GROUP_ROWS = 50_000
_NUMBERS = frozenset({"prompt_tokens", "completion_tokens", "total_tokens", "created", "status_code"})
_MAX_INT64 = 2**63 - 1


def write_parquet_result(store: ObjectStore, plan: Plan, parts: Sequence[str], key: str) -> None:
    """Write the object ``key`` from the parts, which are the lines of a JSONL result, in their order.

    The file's own columns and all texts are strings, counts and times are 64-bit integers, and what JSONL has as
    objects, arrays or typed answers is JSON text. The same parts give the same bytes.

    Raises:
        ObjectMissing: One of the parts is not there.
    """
    lines = chain.from_iterable(byte_lines(store.read(part)) for part in parts)
    own_columns = 0 if plan.kind == REQUEST_KIND else len(plan.columns)
    with store.open_writer(key) as writer:
        write_parquet(lines, own_columns, writer)
        writer.commit()


def write_parquet(lines: Iterable[bytes], own_columns: int, writer: ObjectWriter) -> None:
    """Write JSON objects that all have the keys of the first, of which ``own_columns`` are the input's."""
    import pyarrow as pa  # noqa: PLC0415  # 33 MB in the zip and 60 in memory, which only such results need
    import pyarrow.parquet as pq  # noqa: PLC0415  # the same

    pa.set_memory_pool(pa.system_memory_pool())  # gives memory back as it goes
    rest = iter(lines)
    first = next(rest, b"{}")
    names = list(_parse(first))
    is_number = [
        index >= own_columns and name.removeprefix("result_") in _NUMBERS for index, name in enumerate(names)
    ]
    schema = pa.schema(
        [(name, pa.int64() if number else pa.string()) for name, number in zip(names, is_number, strict=True)]
    )
    with closing(_Sink(writer)) as sink, pq.ParquetWriter(sink, schema) as table:
        for group in _groups(chain([first], rest)):
            table.write_batch(pa.record_batch(_columns(group, is_number), schema=schema))


def _groups(lines: Iterable[bytes]) -> Iterator[list[list[object]]]:
    group: list[list[object]] = []
    size_bytes = 0
    for line in lines:
        group.append(list(_parse(line).values()))
        size_bytes += len(line)
        if size_bytes >= _GROUP_BYTES or len(group) == _GROUP_ROWS:
            yield group
            group, size_bytes = [], 0
    if group:
        yield group


def _parse(line: bytes) -> dict[str, object]:
    # Not orjson, which makes floats of integers beyond 64 bits.
    row: dict[str, object] = json.loads(line, parse_int=_integer)
    return row


def _integer(digits: str) -> int | str:
    # The job has to come to its end.
    return int(digits) if len(digits) <= MAX_INT_DIGITS else digits


def _columns(group: list[list[object]], is_number: list[bool]) -> list[list[int | None] | list[str | None]]:
    columns = zip(*group, strict=True)
    return [
        list(map(_number, column)) if number else list(map(_text, column))
        for column, number in zip(columns, is_number, strict=True)
    ]


def _number(value: object) -> int | None:
    # Counts come from outside: one that no 64 bits hold is no count, and must not keep the job from its end.
    return value if isinstance(value, int) and abs(value) <= _MAX_INT64 else None


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


class _Sink(io.RawIOBase):
    """An object's writer as the file that pyarrow writes to; closing it does not publish the object."""

    def __init__(self, writer: ObjectWriter) -> None:
        self._writer = writer

    def writable(self) -> bool:
        return True

    def write(self, content: object) -> int:
        chunk = bytes(memoryview(content))  # type: ignore[arg-type]  # any buffer, as RawIOBase has it
        self._writer.write(chunk)
        return len(chunk)
