"""Reads a CSV file as records; detects its encoding and its delimiter."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from shared.formats.binary_files import refuse_binary
from shared.formats.csv.records import TextLines, delimiter_in, read_records
from shared.formats.encodings import (
    MAX_LINE_BYTES,
    Encoding,
    LineDecoder,
    Undecodable,
    decodable_chunks,
    encoding_for,
    explained,
    is_mostly_utf8,
    peek,
)
from shared.formats.line_blocks import LineSource
from shared.formats.record import Record, TableNotes

OpenChunks = Callable[[], Iterable[bytes]]


def csv_file_records(
    open_chunks: OpenChunks, encoding: str | None, delimiter: str | None, notes: TableNotes
) -> Iterator[Record]:
    """Yield every record of the file, its header included.

    Args:
        open_chunks: Opens the file from its start; called again to say why no encoding fits.
        encoding: What the recipe says; detected if ``None``.
        delimiter: What the recipe says; detected if ``None``.
        notes: Gets the encoding and the delimiter.

    Raises:
        EncodingMismatch: Start over in its ``next_encoding``.
        UserInputError: From here on, the file cannot be used.
    """
    head, chunks = peek(open_chunks())
    refuse_binary(head, encoding)
    found = encoding_for(head, encoding, notes.tried_encoding)
    if found == Encoding("gb18030") and _is_damaged_utf8(open_chunks, head, notes):
        found = Encoding("utf-8", is_certain=True)
    notes.encoding = found.name
    lines = _text_lines(chunks, found)
    try:
        header = lines.take_first_written()
        notes.delimiter = delimiter or delimiter_in(header)
        yield from read_records(lines, notes.delimiter)
    except Undecodable as damage:
        raise explained(damage, open_chunks) from damage


def _is_damaged_utf8(open_chunks: OpenChunks, head: bytes, notes: TableNotes) -> bool:
    """Judge by the head, or by the whole file if the head gave no reason, which is rare."""
    complete = head[: head.rfind(b"\n") + 1] or head
    chunks = open_chunks() if notes.tried_encoding else [complete]
    return is_mostly_utf8(chunks)


def _text_lines(chunks: Iterable[bytes], encoding: Encoding) -> TextLines:
    chunks, encoding = decodable_chunks(chunks, encoding)
    return TextLines(LineSource(chunks, MAX_LINE_BYTES), LineDecoder(encoding))
