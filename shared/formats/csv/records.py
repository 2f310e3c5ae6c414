"""Reads lines as CSV records, each with its first line and what is wrong with its form.

A block in which every record is certain is read as a whole (``CsvBlock``). All
others are read by ``csv``, record by record, and so are those with so many quotes that it is
faster.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from io import BytesIO

from shared.formats.charsets.decoding import LineDecoder, TextLine
from shared.formats.csv.blocks import CsvBlock
from shared.formats.csv.quirks import SIGNS, Quirks
from shared.formats.line_blocks import LineSource
from shared.formats.lines import Line
from shared.formats.record import Record, Records
from shared.formats.sizes import MAX_LINE_BYTES
from shared.problems.exceptions import UserInputError
from shared.problems.problem import Problem

MAX_RECORD_BYTES = MAX_LINE_BYTES

# What a block read as a whole gains over ``csv`` grows with its lines and bytes; each quote takes
# some of it. Measured over 2 to 200 columns with cells of 4 to 400 characters; if equal, ``csv``.
QUOTES_WORTH_A_LINE = 12
BYTES_WORTH_A_QUOTE = 10
_SAMPLED_BYTES = 8 * 1024  # counting them all would take a twentieth of the time of reading a block

_BLANK_QUOTE, _FORMULA_QUOTE = SIGNS

# Python 3.10's csv refuses NUL; decoded text never has half of a surrogate pair.
_NUL = "\ud800"


class TextLines:
    """The decoded lines of a table, with their numbers."""

    def __init__(self, source: LineSource, decoder: LineDecoder) -> None:
        self.source = source
        self.decoder = decoder
        self.next_number = 1

    def peek(self, size_bytes: int) -> str:
        """About so many bytes of the text that comes next, as whole lines."""
        raw = self.source.peek(size_bytes)
        text = self.decoder.decode_block(raw)
        if text is None:
            # Wrong bytes are told when their line is read; delimiters are ASCII.
            lines = [self.decoder.decode_block(line) for line in BytesIO(raw)]
            text = "".join(filter(None, lines)) or raw.decode("latin-1")
        return text

    def take(self) -> TextLine | None:
        taken = self.source.take_line()
        if taken is None:
            return None
        number = self.next_number
        self.next_number += 1
        return self.decoder.decode(Line(number, *taken))


def read_records(lines: TextLines, quirks: Quirks) -> Records:
    """Yield every record, the first by itself; skip blank lines.

    Raises:
        UserInputError: The next record's start is unknown: a quote is never closed, or closed in
            the middle of a cell, or one record is larger than any request may be.
    """
    yield from _read_one_by_one(lines, quirks, 0)  # the header
    source, carried = lines.source, b""
    while True:
        taken = source.take_block()
        raw = carried + (taken or b"")
        if not raw and taken is not None:
            return
        rest = raw
        # If a record ends neither in two blocks nor in the file, ``csv`` reads it: no third block
        # tries it again.
        if taken and quirks.blanks_line is None and not _is_for_csv(raw):
            block = CsvBlock(raw, lines.next_number, lines.decoder, quirks)
            if (found := block.read()).rows:
                yield found
            lines.next_number, rest = block.next_line, block.rest
            read_bytes = max(0, len(raw) - len(rest))
            lines.decoder.learn(raw[:read_bytes])
            if block.is_certain and (read_bytes or not carried):
                carried = rest
                continue
        source.give_back(rest)
        carried = b""
        yield from _read_one_by_one(lines, quirks, len(rest))


def _is_for_csv(block: bytes) -> bool:
    sample = block[:_SAMPLED_BYTES]
    quotes_too_many = sample.count(b'"') - len(sample) // BYTES_WORTH_A_QUOTE
    return quotes_too_many > 0 and quotes_too_many > QUOTES_WORTH_A_LINE * sample.count(b"\n")


def _read_one_by_one(lines: TextLines, quirks: Quirks, least_bytes: int) -> Iterator[Record]:
    """Yield records until they take ``least_bytes``, and at least one if there is any."""
    # csv's own limit is 128 KiB a cell, and global; ours is on the record.
    csv.field_size_limit(max(csv.field_size_limit(), MAX_RECORD_BYTES))
    feed = _Feed(lines, quirks)
    skips_blanks = quirks.blanks_line is not None
    while not feed.is_exhausted:
        reader = csv.reader(feed, delimiter=quirks.delimiter, strict=True, skipinitialspace=skips_blanks)
        try:
            for cells in reader:
                if cells:
                    yield feed.record(cells)
                feed.begin_record()
                if feed.taken_bytes >= least_bytes:
                    return
        except csv.Error as error:
            yield feed.record_after(error)
            feed.begin_record()
            if feed.taken_bytes >= least_bytes:
                return


class _Feed:
    """Feeds lines to ``csv.reader``; remembers where the record began and what it holds."""

    def __init__(self, lines: TextLines, quirks: Quirks) -> None:
        self._lines = lines
        self._quirks = quirks
        self.is_exhausted = False
        self.taken_bytes = 0
        self.begin_record()

    def begin_record(self) -> None:
        self.first_line = 0
        self.problems: list[Problem] = []
        self._last_line = 0
        self._text = ""
        self._size_bytes = 0
        self._has_quirk = False

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        line = self._lines.take()
        if line is None:
            self.is_exhausted = True
            raise StopIteration
        text = line.text
        if not self.first_line:
            self.first_line = line.number
            if text is not None:
                # Where files were joined, each brought its byte order mark.
                text = text.removeprefix("\ufeff")
        self._last_line = line.number
        self._size_bytes += line.size_bytes + 1
        self.taken_bytes += line.size_bytes + 1
        if text is None or self._size_bytes > MAX_RECORD_BYTES:
            raise UserInputError([self._too_large()])
        if line.problem is not None:
            self.problems.append(line.problem)
        if _BLANK_QUOTE in text or _FORMULA_QUOTE in text:
            self._has_quirk = self._has_quirk or self._quirks.is_in_line(text)
        self._text = text.replace("\0", _NUL) if line.problem is not None else text
        return self._text + "\n"

    def record(self, cells: list[str]) -> Record:
        if self.problems:
            cells = [cell.replace(_NUL, "\0") for cell in cells]
        joined = self._quirks.joined
        joined.columns = joined.columns or len(cells)
        if self._last_line > self.first_line:
            for place, cell in enumerate(cells):
                if "\n" in cell:
                    *before, written = (each.encode(errors="surrogatepass") for each in cells[: place + 1])
                    joined.look_at(self.first_line, before, written)
        record = Record(self.first_line, tuple(cells), tuple(self.problems))
        return self._quirks.read(record) if self._has_quirk else record

    def _too_large(self) -> Problem:
        if self._last_line > self.first_line:
            return Problem("unclosed_quote", self.first_line, values={"last_line": self._last_line})
        values = {"size_bytes": self._size_bytes, "max_bytes": MAX_RECORD_BYTES}
        return Problem("row_too_large", self.first_line, values=values)

    def record_after(self, error: csv.Error) -> Record:
        """The record at which ``csv`` gave up, if its end is certain."""
        text = self._text.replace(_NUL, "\0")
        if self.is_exhausted:
            values = {"last_line": self._last_line}
            raise UserInputError([Problem("unclosed_quote", self.first_line, values=values)]) from error
        if self._last_line > self.first_line or self._text.count('"') % 2:
            values = {"last_line": self._last_line}
            raise UserInputError(
                [Problem("broken_quotes", self.first_line, found=text, values=values)]
            ) from error
        if "new-line character" in str(error):
            problem = Problem("lone_carriage_return", self.first_line, found=text)
        else:
            problem = Problem("bad_quote", self.first_line, found=text)
        return Record(self.first_line, (text.rstrip("\r"),), (*self.problems, problem))
