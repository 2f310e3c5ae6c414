"""A block of whole lines into CSV records in a few passes over all of it, as far as it is certain what they are.

Everything that is not certain is left to ``csv``, record by record. What is certain: a cell is either quoted whole,
with doubled quotes inside, or has no quote; a quoted cell stands between delimiters or line ends; and a carriage
return outside of quotes stands at the end of a line. Of such text there is one reading only.
"""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from shared.domain.encodings import LineDecoder
from shared.domain.json_cells import escape_line_ends

# Characters in place of those that JSON escapes and that must be found once the whole block is escaped.
_LINE_FEED = b"\x7f"
_TAB = "\uf8ff"
_BETWEEN_DOUBLED_QUOTES = b"\\"


class _UncertainError(Exception):
    """Only ``csv`` can say what this record is."""


class CsvBlock:
    """The records of one block.

    Attributes:
        is_certain: False once there is a record that only ``csv`` can judge; ``rest`` begins with it or before.
        lines: How many lines the records took that were handed out, and the blank ones between them.
    """

    def __init__(self, raw: bytes, delimiter: str, decoder: LineDecoder) -> None:
        self._raw = raw if raw.endswith(b"\n") else raw + b"\n"
        self._delimiter = delimiter.encode()
        self._has_tab_marks = False
        self._has_carriage_return = b"\r" in raw
        self._parts = self._escaped_parts(delimiter, decoder)
        self._cells: list[bytes] = []
        self._line = 0
        self.is_certain = bool(self._parts)
        self.lines = 0

    @property
    def rest(self) -> bytes:
        """The bytes from the first record that was not handed out."""
        end = len(self._raw)
        for _ in range(self._raw.count(b"\n") - self.lines + 1):
            end = self._raw.rfind(b"\n", 0, end)
        return self._raw[end + 1 :]

    def records(self) -> Iterator[tuple[int, list[bytes]]]:
        """Yield for each record the place of its first line in the block, from 0, and its escaped cells."""
        parts, at, last = self._parts, 0, len(self._parts) - 1
        try:
            while at <= last:
                yield from self._read_outside(parts[at][:-1] if at < last else parts[at])
                at = self._read_quoted(at + 1)
        except _UncertainError:
            self.is_certain = False

    def _escaped_parts(self, delimiter: str, decoder: LineDecoder) -> list[bytes]:
        """The block as the inside of a JSON string, cut at its quotes: all parts but the last end in a backslash.

        Every other part is outside of quotes.
        """
        if _LINE_FEED in self._raw or b"\0" in self._raw:
            return []
        text = decoder.decode_block(self._raw.replace(b"\n", _LINE_FEED))
        if text is None or (delimiter == "\t" and _TAB in text):
            return []
        if delimiter == "\t":
            text = text.replace("\t", _TAB)
            self._delimiter = _TAB.encode()
            self._has_tab_marks = True
        return escape_line_ends(text, orjson.dumps(text)).split(b'"')[1:-1]

    def _read_outside(self, text: bytes) -> list[tuple[int, list[bytes]]]:
        """Go on with the record under way; give those that end here."""
        pieces = text.split(_LINE_FEED)
        if len(pieces) == 1:
            self._cells = self._between(text) if self._cells else self._begun(text)
            return []
        begin = pieces.pop()
        finished = []
        cells, first_line = self._cells, self.lines
        for piece in pieces:
            cells = self._ended(cells, piece)
            if cells:
                finished.append((first_line, cells))
                cells = []
            self._line += 1
            first_line = self._line
        self._cells = self._begun(begin)
        self.lines = first_line
        return finished

    def _read_quoted(self, at: int) -> int:
        """Add the quoted cell that begins with part ``at``; give the place of the part after it."""
        parts, end, last = self._parts, at, len(self._parts) - 1
        while end < last and parts[end + 1] == _BETWEEN_DOUBLED_QUOTES:
            end += 2
        if end >= last:
            return last + 1  # the next block has its end
        cell = parts[at] if end == at else b'"'.join(parts[at : end + 1 : 2])
        cell = cell[:-1]
        if _LINE_FEED in cell:
            escaped = cell.replace(_LINE_FEED, b"\\n")
            self._line += len(escaped) - len(cell)
            cell = escaped
        if self._has_tab_marks:
            cell = cell.replace(self._delimiter, b"\\t")
        self._cells.append(cell)
        return end + 1

    def _begun(self, piece: bytes) -> list[bytes]:
        """The cells between the start of a record and its first quote."""
        if not piece:
            return []
        if not piece.endswith(self._delimiter):
            raise _UncertainError
        self._refuse_carriage_return(piece)
        return piece[: -len(self._delimiter)].split(self._delimiter)

    def _between(self, piece: bytes) -> list[bytes]:
        """The cells so far and those between two quoted ones."""
        delimiter = self._delimiter
        if piece == delimiter:
            return self._cells
        size = len(delimiter)
        if len(piece) < 2 * size or not piece.startswith(delimiter) or not piece.endswith(delimiter):
            raise _UncertainError
        self._refuse_carriage_return(piece)
        return self._cells + piece[size:-size].split(delimiter)

    def _ended(self, cells: list[bytes], piece: bytes) -> list[bytes]:
        """The cells of a record of which ``piece`` is the end; none if it is a blank line."""
        if self._has_carriage_return:
            # Of a backslash before it nobody knows whether it is one of the text.
            if piece.endswith(b"\\r") and not piece.endswith(b"\\\\r"):
                piece = piece[:-2]
            self._refuse_carriage_return(piece)
        if not piece:
            return cells
        if not cells:
            return piece.split(self._delimiter)
        if not piece.startswith(self._delimiter):
            raise _UncertainError
        return cells + piece[len(self._delimiter) :].split(self._delimiter)

    def _refuse_carriage_return(self, piece: bytes) -> None:
        if self._has_carriage_return and b"\\r" in piece:
            raise _UncertainError
