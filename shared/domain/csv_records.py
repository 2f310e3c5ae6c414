"""Lines of text into CSV records, each with the line on which it starts and what is wrong with its form."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from shared.domain.encodings import MAX_LINE_BYTES, TextLine
from shared.domain.errors import UserInputError
from shared.domain.problems import Problem

MAX_RECORD_BYTES = MAX_LINE_BYTES
_QUOTED = re.compile(r'"(?:[^"]|"")*"?')


@dataclass(frozen=True)
class Record:
    """One record. If its quotes are wrong, its raw text is its only cell."""

    line: int
    cells: tuple[str, ...]
    problems: tuple[Problem, ...] = ()


def delimiter_in(header: str) -> str:
    """A comma if the header has one outside of quotes, else whichever of semicolon and tab it has more of."""
    unquoted = _QUOTED.sub("", header)
    if "," in unquoted:
        return ","
    delimiter = max(";\t", key=unquoted.count)
    return delimiter if delimiter in unquoted else ","


def first_written_line(lines: Iterator[TextLine]) -> tuple[str, Iterator[TextLine]]:
    """The text of the first line that is not blank (``""`` if none is), and all lines from there on."""
    for line in lines:
        if line.text is None or line.text.strip():
            return line.text or "", chain([line], lines)
    return "", iter(())


def read_records(lines: Iterable[TextLine], delimiter: str) -> Iterator[Record]:
    """Yield every record; blank lines are none.

    Raises:
        UserInputError: From here on nobody knows where a record ends: a quote is never closed, or closed in the
            middle of a cell, or one record is larger than any request may be.
    """
    # csv's own bound is 128 KiB a cell, and global; ours is on the record.
    csv.field_size_limit(max(csv.field_size_limit(), MAX_RECORD_BYTES))
    feed = _Feed(iter(lines))
    while not feed.is_exhausted:
        reader = csv.reader(feed, delimiter=delimiter, strict=True)
        try:
            for cells in reader:
                if cells:
                    yield Record(feed.first_line, tuple(cells), tuple(feed.problems))
                feed.begin_record()
        except csv.Error as error:
            yield feed.record_after(error)
            feed.begin_record()


class _Feed:
    """Gives ``csv.reader`` its lines and remembers what that does not tell: where a record began and what it holds."""

    def __init__(self, lines: Iterator[TextLine]) -> None:
        self._lines = lines
        self.is_exhausted = False
        self.begin_record()

    def begin_record(self) -> None:
        self.first_line = 0
        self.problems: list[Problem] = []
        self._last_line = 0
        self._text = ""
        self._size_bytes = 0

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        try:
            line = next(self._lines)
        except StopIteration:
            self.is_exhausted = True
            raise
        self.first_line = self.first_line or line.number
        self._last_line = line.number
        self._size_bytes += line.size_bytes + 1
        if line.text is None or self._size_bytes > MAX_RECORD_BYTES:
            raise UserInputError([self._too_large()])
        if line.problem is not None:
            self.problems.append(line.problem)
        self._text = line.text
        return line.text + "\n"

    def _too_large(self) -> Problem:
        if self._last_line > self.first_line:
            return Problem("unclosed_quote", self.first_line, values={"last_line": self._last_line})
        values = {"size_bytes": self._size_bytes, "max_bytes": MAX_RECORD_BYTES}
        return Problem("row_too_large", self.first_line, values=values)

    def record_after(self, error: csv.Error) -> Record:
        """The record at which ``csv`` gave up, if it is sure where that ends."""
        if self.is_exhausted:
            values = {"last_line": self._last_line}
            raise UserInputError([Problem("unclosed_quote", self.first_line, values=values)]) from error
        if self._last_line > self.first_line or self._text.count('"') % 2:
            values = {"last_line": self._last_line}
            raise UserInputError(
                [Problem("broken_quotes", self.first_line, found=self._text, values=values)]
            ) from error
        if "new-line character" in str(error):
            problem = Problem("lone_carriage_return", self.first_line, found=self._text)
        else:
            problem = Problem("bad_quote", self.first_line, found=self._text)
        return Record(self.first_line, (self._text.rstrip("\r"),), (*self.problems, problem))
