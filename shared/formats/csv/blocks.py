"""Reads a block of whole lines as CSV records in a few passes, if all of them are certain.

All else is left to ``csv``, record by record. Certain is: a cell is either quoted as a whole, with
doubled quotes inside, or has no quote; a quoted cell stands between delimiters or line ends; a
carriage return outside of quotes ends a line. Such text can be read in one way only.

The block is cut at its quotes, and what was inside of them is taken out, with a mark in the place
of each piece. The rest is cut at line ends and delimiters. A cell of one mark was a quoted cell, a
cell of several was one with doubled quotes between its pieces.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Iterable, Sequence
from itertools import repeat
from operator import sub

from shared.formats.charsets.decoding import LineDecoder
from shared.formats.csv.quirks import Quirks
from shared.formats.json.cells import JsonCells, escape_line_ends, escaped_cells
from shared.formats.record import Record, RecordBlock

_MARK = b"\x01"
_MARKED = BOM_UTF8[0]
_ESCAPED_QUOTE = b'\\"'
_FORMULA_START = b"=" + _ESCAPED_QUOTE

# Tables have none of these, so escaping them for JSON is not worth another pass. Looking for each
# in turn takes a fifth of the time of one pass over all bytes.
_CONTROLS = bytes(byte for byte in range(0x20) if byte not in b"\t\n\r")


class _UncertainError(Exception):
    """Only ``csv`` can say what some record is."""


class CsvBlock:
    """The records of one block.

    Attributes:
        is_certain: False if only ``csv`` can judge a record; then none is read.
        next_line: The file's line after the records that were read and the blank lines behind them.
    """

    def __init__(self, raw: bytes, first_line: int, decoder: LineDecoder, quirks: Quirks) -> None:
        self._raw = raw if raw.endswith(b"\n") else raw + b"\n"
        self._delimiter = quirks.delimiter.encode()
        self._quirks = quirks
        self._decoder = decoder
        self.next_line = first_line
        self.is_certain = True
        self._rest_lines = 0

    @property
    def rest(self) -> bytes:
        """The bytes from the first record that was not read."""
        if not self.is_certain:
            return self._raw
        end = len(self._raw)
        for _ in range(self._rest_lines + 1):
            end = self._raw.rfind(b"\n", 0, end)
        return self._raw[end + 1 :]

    def read(self) -> RecordBlock:
        """All records but the last, if that has its end in the next block; or none."""
        first_line = self.next_line
        try:
            return self._read(self._escaped())
        except _UncertainError:
            self.is_certain = False
            self.next_line = first_line
            return RecordBlock([], [])

    def _escaped(self) -> bytes:
        """The block with JSON's escapes, apart from those that stand in quoted cells only."""
        text = self._decoder.decode_block(self._raw)
        if text is None:
            raise _UncertainError
        utf8 = self._raw if self._decoder.is_utf8 else text.encode()
        if any(map(utf8.__contains__, _CONTROLS)):
            raise _UncertainError
        if b"\\" in utf8:
            utf8 = utf8.replace(b"\\", b"\\\\")
        utf8 = escape_line_ends(text, utf8)
        if self._delimiter != b"\t" and b"\t" in utf8:
            utf8 = utf8.replace(b"\t", b"\\t")
        return utf8

    def _read(self, utf8: bytes) -> RecordBlock:
        parts = utf8.split(b'"') if b'"' in utf8 else [utf8]
        begun = [] if len(parts) % 2 else [parts.pop()]  # a quoted cell that ends in the next block
        inside = parts[1::2]
        *lines, last = _lines_of(_MARK.join(parts[0::2]))
        if begun:
            kept = len(inside) - last.count(_MARK)
            self._rest_lines = sum(piece.count(b"\n") for piece in (*begun, *inside[kept:]))
            del inside[kept:]
        quoted = _Quoted(inside, self._delimiter, self._quirks, has_returns=b"\r" in utf8)
        return self._numbered(lines, quoted)

    def _numbered(self, lines: Sequence[bytes], quoted: _Quoted) -> RecordBlock:
        delimiter, number = self._delimiter, self.next_line
        numbers: list[int] = []
        rows: list[Sequence[bytes]] = []
        for line in lines:
            if line:
                # A byte order mark in the middle may begin a file that was appended to another.
                if line[0] == _MARKED and line.startswith(BOM_UTF8):
                    raise _UncertainError
                cells = line.split(delimiter)
                numbers.append(number)
                rows.append(cells)
                if marks := line.count(_MARK):
                    number += quoted.put_into(cells, marks, number)
            number += 1
        if quoted.are_left:
            raise _UncertainError
        quoted.note_quirks()
        self.next_line = number
        return RecordBlock(numbers, rows)


class _Quoted:
    """What stands inside of the quotes of a block, to be put back in its order."""

    def __init__(
        self, pieces: Sequence[bytes], delimiter: bytes, quirks: Quirks, *, has_returns: bool
    ) -> None:
        self._quirks = quirks
        self._pieces = pieces
        self._at = 0
        self._of_several_lines: list[tuple[int, Sequence[bytes], bytes]] = []
        self._with_formula: list[tuple[int, list[bytes]]] = []
        escaped = _replaced(pieces, b"\n", b"\\n")
        self._line_ends: list[int] = [*map(sub, map(len, escaped), map(len, pieces))]
        if has_returns:
            escaped = _replaced(escaped, b"\r", b"\\r")
        if delimiter == b"\t":
            escaped = _replaced(escaped, b"\t", b"\\t")
        self._escaped = escaped

    @property
    def are_left(self) -> bool:
        """Whether a cell had other text beside its quotes."""
        return self._at < len(self._pieces)

    def put_into(self, cells: list[bytes], marks: int, line: int) -> int:
        """Fill the quoted cells of a record; return how many line ends they hold."""
        at = self._at
        if marks > 1 or _MARK not in cells:
            return self._put_all_into(cells, line)
        self._at = at + 1
        place = cells.index(_MARK)
        cells[place] = self._escaped[at]
        line_ends = self._line_ends[at]
        if line_ends:
            self._of_several_lines.append((line, cells[:place], self._pieces[at]))
        return line_ends

    def _put_all_into(self, cells: list[bytes], line: int) -> int:
        line_ends = 0
        has_formula = False
        for place, cell in enumerate(cells):
            if cell[:1] != _MARK:
                continue
            start, end = self._at, self._at + len(cell)
            self._at = end
            if end == start + 1:
                cells[place] = self._escaped[start]
            elif cell.strip(_MARK):
                raise _UncertainError
            else:
                cells[place] = content = _ESCAPED_QUOTE.join(self._escaped[start:end])
                has_formula = has_formula or content.startswith(_FORMULA_START)
            if in_cell := sum(self._line_ends[start:end]):
                line_ends += in_cell
                content = _ESCAPED_QUOTE.join(self._pieces[start:end])
                self._of_several_lines.append((line, cells[:place], content))
        if has_formula:
            self._with_formula.append((line, cells))
        return line_ends

    def note_quirks(self) -> None:
        """Once all is certain: what ``csv`` reads again must not be counted here, too."""
        for line, before, cell in self._of_several_lines:
            self._quirks.joined.look_at(line, before, cell)
        for line, cells in self._with_formula:
            record = self._quirks.read(Record(line, JsonCells(cells)))
            cells[:] = escaped_cells(record.cells)


def _replaced(pieces: Iterable[bytes], old: bytes, new: bytes) -> Sequence[bytes]:
    return [*map(bytes.replace, pieces, repeat(old), repeat(new))]


def _lines_of(unquoted: bytes) -> list[bytes]:
    if b"\r" in unquoted:
        unquoted = unquoted.replace(b"\r\n", b"\n")
        if b"\r" in unquoted:
            raise _UncertainError
    return unquoted.split(b"\n")
