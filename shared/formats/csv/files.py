"""Reads a CSV file as records; detects its encoding and its delimiter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from shared.formats.binary_files import refuse_binary
from shared.formats.charsets.decoding import (
    Encoding,
    LineDecoder,
    OpenChunks,
    Undecodable,
    decodable_chunks,
    encoding_for,
)
from shared.formats.charsets.double_encoding import find_double_encoded, find_lost_characters
from shared.formats.charsets.utf8 import begins_as_utf8
from shared.formats.csv.delimiters import DELIMITERS, IsHeader, delimiter_for, find_preamble
from shared.formats.csv.quirks import Quirks, find_spaced_quotes
from shared.formats.csv.records import TextLines, read_records
from shared.formats.heads import peek
from shared.formats.line_blocks import LineSource
from shared.formats.lines import with_line_feeds
from shared.formats.record import Records, TableNotes
from shared.formats.sizes import MAX_LINE_BYTES
from shared.problems.problem import Problem, Values

_SAMPLE_BYTES = 32 * 1024
_FIRST_CHARS = 4000


@dataclass(frozen=True)
class CsvHints:
    """What is known of a file before it is read.

    Attributes:
        encoding: What the recipe says; detected if ``None``.
        delimiter: What the recipe says; detected if ``None``.
        usual_delimiter: Of files with such a name; it counts if its first written line has it.
        is_header: Whether cells are the names that the prompt needs; ``None`` without a header.
    """

    encoding: str | None = None
    delimiter: str | None = None
    usual_delimiter: str | None = None
    is_header: IsHeader | None = None


def csv_file_records(open_chunks: OpenChunks, hints: CsvHints, notes: TableNotes) -> Records:
    """Yield every record of the file, its header included and by itself.

    Args:
        open_chunks: Opens the file from its start; called again to say why no encoding fits.
        hints: What need not be detected.
        notes: Gets the encoding and the delimiter.

    Raises:
        EncodingMismatch: Start over in its ``next_encoding``.
        UserInputError: From here on, the file cannot be used.
    """
    head, chunks = peek(open_chunks())
    refuse_binary(head, hints.encoding)
    lines = _text_lines(chunks, _encoding(open_chunks, head, hints.encoding, notes))
    try:
        notes.warnings.extend(_garbled(lines))
        quirks = _quirks(lines, hints)
        notes.delimiter = quirks.delimiter
        yield from read_records(lines, quirks)
        notes.warnings.extend(quirks.warnings())
    except Undecodable as damage:
        from shared.formats.charsets.detection import explained  # noqa: PLC0415 - few files are damaged

        raise explained(damage, open_chunks) from damage


def _encoding(open_chunks: OpenChunks, head: bytes, wanted: str | None, notes: TableNotes) -> Encoding:
    found = encoding_for(head, wanted, notes.tried_encoding)
    if found.name == "utf-8" and (found.is_certain or begins_as_utf8(head)):
        notes.encoding = found.name
        return found
    from shared.formats.charsets.detection import file_encoding  # noqa: PLC0415 - loads many languages

    return file_encoding(found, open_chunks, head, wanted, notes)


def _garbled(lines: TextLines) -> Iterator[Problem]:
    sample = lines.peek(_SAMPLE_BYTES)
    first = lines.next_number
    if (found := find_double_encoded(sample[:_FIRST_CHARS])) is not None:
        values: Values = {"meant": found.meant, "encoding": found.encoding}
        yield Problem("double_encoded", first + found.line, found=found.found, values=values)
    if (lost := find_lost_characters(sample)) is not None:
        yield Problem("lost_characters", first + lost.line, found=lost.found, values={"times": lost.times})


def _quirks(lines: TextLines, hints: CsvHints) -> Quirks:
    """With the recipe's delimiter, that of a ``sep=`` line, or the one that is found."""
    said = hints.delimiter
    sample = lines.peek(_SAMPLE_BYTES)
    while (preamble := find_preamble(_first_written(sample))) is not None:
        said = said or preamble.delimiter
        _take_first_written(lines)
        sample = lines.peek(_SAMPLE_BYTES)
    usual = hints.usual_delimiter
    if said is None and usual is not None and usual in _first_written(sample):
        said = usual
    spaced = find_spaced_quotes(sample, [said] if said else DELIMITERS)
    delimiter = said or delimiter_for(spaced.sample if spaced else sample, hints.is_header)
    if spaced is None or spaced.delimiter != delimiter:
        return Quirks(delimiter)
    return Quirks(delimiter, lines.next_number + spaced.line)


def _first_written(sample: str) -> str:
    return sample.lstrip("\ufeff\r\n").partition("\n")[0]


def _take_first_written(lines: TextLines) -> None:
    while (line := lines.take()) is not None and not (line.text or "").strip("\ufeff\r\n"):
        pass


def _text_lines(chunks: Iterable[bytes], encoding: Encoding) -> TextLines:
    chunks, encoding = decodable_chunks(chunks, encoding)
    return TextLines(LineSource(with_line_feeds(chunks), MAX_LINE_BYTES), LineDecoder(encoding))
