"""The first rows of a table, of which perhaps only the first bytes are there."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import IO

from shared.formats.charsets.decoding import EncodingMismatch
from shared.formats.gzip_chunks import unpack_gzip
from shared.formats.heads import beginning
from shared.formats.record import Record, each_record
from shared.formats.sizes import MB
from shared.inputs.formats import FORMATS, file_form_for
from shared.inputs.inbox_keys import FileForm
from shared.inputs.rows import Observations
from shared.inputs.tables.table_shapes import is_blank
from shared.problems.exceptions import UserInputError
from shared.problems.problem import Problem

SHOWN_ROWS = 5
# Of texts the first bytes are enough; the others are read whole.
MAX_TEXT_BYTES = 256 * 1024
MAX_BINARY_BYTES = 8 * MB
# A few packed megabytes may be gigabytes, a few cells of a workbook gigabytes of texts.
_MAX_UNPACKED_BYTES = 4 * MAX_BINARY_BYTES
_MAX_SHOWN_CHARS = 512 * 1024
# To go through the rows of a workbook takes longer than anybody waits.
_MAX_LINE = 20_000


@dataclass(frozen=True)
class FirstRows:
    """A table's header and some rows; both are empty for request lines, which need no recipe."""

    columns: list[str]
    rows: list[list[str]]


@dataclass(frozen=True)
class _FirstBytes:
    """``InputFile`` of what is there of a file."""

    form: FileForm
    content: bytes

    def chunks(self) -> Iterator[bytes]:
        """Of a packed text so much as of one that is not packed."""
        if self.form.is_gzip:
            return iter([beginning(self._unpacked(), MAX_TEXT_BYTES)])
        return iter([self.content])

    def local_copy(self) -> IO[bytes]:
        if not self.form.is_gzip:
            return io.BytesIO(self.content)
        content = beginning(self._unpacked(), _MAX_UNPACKED_BYTES + 1)
        if len(content) > _MAX_UNPACKED_BYTES:
            raise _too_large(_MAX_UNPACKED_BYTES)
        return io.BytesIO(content)

    def _unpacked(self) -> Iterator[bytes]:
        return unpack_gzip(iter([self.content]), lambda _: None)


def bytes_needed(name: str) -> int:
    """How many of a file's bytes ``first_rows`` needs at most, by its name.

    Raises:
        UserInputError: Files of this name cannot be read.
    """
    form = file_form_for(name, 1)
    return MAX_TEXT_BYTES if form.is_text else MAX_BINARY_BYTES


def first_rows(name: str, content: bytes) -> FirstRows:
    """What a person sees of a table before it is dropped.

    Raises:
        UserInputError: It cannot be read, or has no rows.
    """
    file = _FirstBytes(file_form_for(name, len(content)), content)
    if FORMATS[file.form.format].read_table is None:
        return FirstRows([], [])
    if not file.form.is_text and len(content) > MAX_BINARY_BYTES:
        raise _too_large(MAX_BINARY_BYTES)
    records = list(islice(_written(file), SHOWN_ROWS + 1))
    if not records:
        raise UserInputError([Problem("empty_file")])
    if sum(len(cell) for record in records for cell in record.cells) > _MAX_SHOWN_CHARS:
        raise _too_large(_MAX_SHOWN_CHARS)
    header, *rows = ([*record.cells] for record in records)
    return FirstRows(header, rows)


def _too_large(max_bytes: int) -> UserInputError:
    return UserInputError([Problem("too_large_to_show", values={"max_bytes": max_bytes})])


def rows_by_line(name: str, content: bytes, lines: set[int]) -> dict[int, FirstRows]:
    """Each of these lines under the header, as far as they are there, and among the first.

    A wrong one may have more cells than there are columns, or fewer.
    """
    file = _FirstBytes(file_form_for(name, len(content)), content)
    if FORMATS[file.form.format].read_table is None or not lines:
        return {}
    records = _written(file)
    header = next(records, None)
    found = {}
    for record in records:
        if header and record.line in lines:
            found[record.line] = FirstRows([*header.cells], [[*record.cells]])
        if record.line >= max(lines):
            break
    return found


def _written(file: _FirstBytes, encoding: str | None = None) -> Iterator[Record]:
    """The records that hold anything, up to where the content ends or cannot be read."""
    read_table = FORMATS[file.form.format].read_table
    if read_table is None:
        return
    is_first = True
    try:
        records = each_record(read_table(file, None, Observations(tried_encoding=encoding)))
        # A few packed bytes may be millions of blank rows.
        for record in takewhile(lambda each: each.line <= _MAX_LINE, records):
            if record.problems or not is_blank(record.cells):
                yield record
                is_first = False
    except EncodingMismatch as mismatch:
        if is_first:
            yield from _written(file, mismatch.next_encoding)
    except UserInputError:
        if is_first:  # of a later one, the end of the content may be to blame
            raise
