"""Reads a block of whole lines as CSV records in a few passes, as far as these are certain.

All else is left to ``csv``, record by record. Certain is: a cell is either quoted as a whole, with
doubled quotes inside, or has no quote; a quoted cell stands between delimiters or line ends; a
carriage return outside of quotes ends a line. Such text can be read in one way only.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Iterator

from shared.formats.charsets.decoding import LineDecoder
from shared.formats.csv.quirks import Quirks
from shared.formats.json.cells import JsonCells, escape_line_ends
from shared.formats.record import Record

# Stands for the second of two quotes in a row. The first becomes the backslash of an escape, so one
# pass does both and changes no length. Every quote that is left is one around a cell.
_SECOND_QUOTE = b"\x01"
_DOUBLED_QUOTE = b"\\" + _SECOND_QUOTE
_FORMULA_START = b"=" + _DOUBLED_QUOTE

# Tables have none of these, so escaping them for JSON is not worth another pass. Looking for each
# in turn takes a fifth of the time of one pass over all bytes.
_CONTROLS = bytes(byte for byte in range(0x20) if byte not in b"\t\n\r")


class _UncertainError(Exception):
    """Only ``csv`` can say what this record is."""


class CsvBlock:
    """The records of one block.

    Attributes:
        is_certain: False once only ``csv`` can judge a record. ``rest`` begins with that record or
            before it.
        next_line: The file's line after the records handed out and the blank lines behind them.
    """

    def __init__(self, raw: bytes, first_line: int, decoder: LineDecoder, quirks: Quirks) -> None:
        self._raw = raw if raw.endswith(b"\n") else raw + b"\n"
        self._delimiter = quirks.delimiter.encode()
        self._quirks = quirks
        self._has_formula = False
        self._has_carriage_return = b"\r" in raw
        self._escapes_tabs = self._delimiter == b"\t" and b"\t" in raw
        self._parts = self._escaped_parts(decoder)
        self._cells: list[bytes] = []
        self._cell_start = b""
        self._first_line = self._line = self.next_line = first_line
        self.is_certain = bool(self._parts)

    @property
    def rest(self) -> bytes:
        """The bytes from the first record that was not handed out."""
        if self.is_certain:
            # Counting the lines of every block would take a tenth of the time of reading it.
            lines = self._line - self.next_line
            lines += self._parts[-1].count(b"\n") if len(self._parts) % 2 == 0 else 0
        else:
            lines = self._raw.count(b"\n") - (self.next_line - self._first_line)
        end = len(self._raw)
        for _ in range(lines + 1):
            end = self._raw.rfind(b"\n", 0, end)
        return self._raw[end + 1 :]

    def records(self) -> Iterator[Record]:
        parts, last = self._parts, len(self._parts) - 1
        try:
            for at in range(0, last + 1, 2):
                finished = self._read_outside(parts[at])
                if self._has_formula and finished:  # in a quoted cell, so in the first of them
                    finished[0] = self._quirks.read(finished[0])
                    self._has_formula = False
                yield from finished
                if at + 1 < last:  # else the next block has the end of the cell
                    self._read_quoted(parts[at + 1])
        except _UncertainError:
            self.is_certain = False

    def _escaped_parts(self, decoder: LineDecoder) -> list[bytes]:
        """The block with JSON's escapes, cut at the quotes around cells.

        Parts 0, 2, 4 … are outside of quotes.
        """
        text = decoder.decode_block(self._raw)
        if text is None:
            return []
        utf8 = self._raw if decoder.is_utf8 else text.encode()
        if any(map(utf8.__contains__, _CONTROLS)):
            return []
        if b"\\" in utf8:
            utf8 = utf8.replace(b"\\", b"\\\\")
        utf8 = escape_line_ends(text, utf8)
        if self._delimiter != b"\t" and b"\t" in utf8:
            utf8 = utf8.replace(b"\t", b"\\t")
        return utf8.replace(b'""', _DOUBLED_QUOTE).split(b'"')

    def _read_outside(self, text: bytes) -> list[Record]:
        """Continue the current record; return the records that end here."""
        pieces = text.split(b"\n")
        if len(pieces) == 1:
            if self._cells:
                self._read_between(text)
            else:
                self._cells = self._begun(text)
            return []
        begin = pieces.pop()
        finished = []
        cells, first_line = self._cells, self.next_line
        for piece in pieces:
            cells = self._ended(cells, piece)
            if cells:
                # A byte order mark in the middle may begin a file that was appended to another.
                if cells[0].startswith(BOM_UTF8):
                    raise _UncertainError
                finished.append(Record(first_line, JsonCells(cells)))
                cells = []
            self._line += 1
            first_line = self._line
        self._cells = self._begun(begin)
        self.next_line = first_line
        return finished

    def _read_quoted(self, cell: bytes) -> None:
        if self._cell_start:
            cell = self._cell_start + cell
            self._cell_start = b""
        if _SECOND_QUOTE in cell:
            self._has_formula = self._has_formula or cell.startswith(_FORMULA_START)
            cell = cell.replace(_SECOND_QUOTE, b'"')
        if b"\n" in cell:
            self._quirks.joined.look_at(self.next_line, self._cells, cell)
            size_bytes = len(cell)
            cell = cell.replace(b"\n", b"\\n")
            self._line += len(cell) - size_bytes
        if self._has_carriage_return:
            cell = cell.replace(b"\r", b"\\r")
        if self._escapes_tabs:
            cell = cell.replace(b"\t", b"\\t")
        self._cells.append(cell)

    def _begun(self, piece: bytes) -> list[bytes]:
        """The cells between the start of a record and its first quote."""
        piece = self._without_cell_start(piece)
        if not piece:
            return []
        if not piece.endswith(self._delimiter):
            raise _UncertainError
        return self._unquoted(piece[:-1])

    def _read_between(self, piece: bytes) -> None:
        """Add the cells between two quoted ones, of which there may be any number."""
        delimiter = self._delimiter
        if piece == delimiter:
            return
        piece = self._without_cell_start(piece)
        if piece == delimiter:
            return
        if len(piece) < 2 or not piece.startswith(delimiter) or not piece.endswith(delimiter):
            raise _UncertainError
        self._cells += self._unquoted(piece[1:-1])

    def _ended(self, cells: list[bytes], piece: bytes) -> list[bytes]:
        """The cells of a record that ends with ``piece``; none if it is a blank line."""
        if self._has_carriage_return and piece.endswith(b"\r"):
            piece = piece[:-1]
        if not piece:
            return cells
        if not cells:
            return self._unquoted(piece)
        if not piece.startswith(self._delimiter):
            raise _UncertainError
        return cells + self._unquoted(piece[1:])

    def _unquoted(self, piece: bytes) -> list[bytes]:
        if self._has_carriage_return and b"\r" in piece:
            raise _UncertainError
        cells = piece.split(self._delimiter)
        return [*map(_without_quotes, cells)] if _SECOND_QUOTE in piece else cells

    def _without_cell_start(self, piece: bytes) -> bytes:
        """Keep the doubled quotes that begin a quoted cell.

        The quote around the cell was paired with the first of them.
        """
        if not piece.endswith(_DOUBLED_QUOTE):
            return piece
        # ``rstrip`` also takes escaped backslashes; the last of two in a row may be a quote's.
        start = max(len(piece.rstrip(_DOUBLED_QUOTE)), piece.rfind(b"\\\\") + 1)
        self._cell_start = piece[start:]
        return piece[:start]


def _without_quotes(cell: bytes) -> bytes:
    """The content of a cell of nothing but quotes: the first and the last are around it."""
    if _SECOND_QUOTE not in cell:
        return cell
    quotes = cell.count(_DOUBLED_QUOTE)
    if quotes * len(_DOUBLED_QUOTE) != len(cell):
        raise _UncertainError
    return b'\\"' * (quotes - 1)
