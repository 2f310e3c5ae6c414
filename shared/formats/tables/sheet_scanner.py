"""Scans the XML of one sheet: how much memory its cells take when loaded, and what loading loses.

A cell is what calamine takes for one: names count by their local part, and a cell without a
reference is the next one.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from xml.parsers import expat
from zipfile import BadZipFile, ZipFile

from shared.formats.sizes import MIB
from shared.problems.exceptions import UserInputError
from shared.problems.problem import Problem

# Half of the function's memory. The bytes of a cell and of a place in the rectangle are calamine's,
# as measured.
MAX_LOADED_BYTES = 512 * MIB
CELL_BYTES = 40
_PLACE_BYTES = 32

_PIECE_BYTES = MIB
_MAX_HELD_BYTES = 16 * MIB  # a cell has 32,767 characters at most
_MAX_ERRORS = 100_000
_MAX_ERROR_CHARS = 30

_PLACE = re.compile(r"([A-Za-z]{1,3})([0-9]{1,7})")
_CONTENTS = frozenset({"v", "f", "is"})
_HELD_AS_TEXT = frozenset({"str", "inlineStr", "d"})


@dataclass
class SheetScan:
    """One sheet of a workbook, seen but not loaded.

    Attributes:
        name: As the workbook's author wrote it.
        errors: The text of each error value, such as ``#N/A``, by row and column, both from 0.
        first_without_value: The row, from 1, of the first formula without a saved value; else 0.
        without_value: How many such formulas there are.
    """

    name: str
    errors: dict[tuple[int, int], str] = field(default_factory=dict)
    first_without_value: int = 0
    without_value: int = 0
    loaded_bytes: int = 0


def new_parser() -> expat.XMLParserType:
    # In UTF-8 whatever the file says, as calamine reads it.
    parser = expat.ParserCreate("utf-8")
    parser.StartDoctypeDeclHandler = _refuse_doctype
    return parser


def _refuse_doctype(*_: object) -> None:
    """No program writes a DOCTYPE into a workbook, and only with one can entities grow."""
    raise BadZipFile("<!DOCTYPE")


def parsed(archive: ZipFile, part: str, parser: expat.XMLParserType) -> Iterator[bytes]:
    """The pieces of the part, each after the parser has seen it."""
    size_bytes = 0
    with archive.open(part) as stream:
        while piece := stream.read(_PIECE_BYTES):
            parser.Parse(piece)
            size_bytes += len(piece)
            # expat holds a tag that does not end; old versions read it again with each piece.
            if size_bytes - parser.CurrentByteIndex > _MAX_HELD_BYTES:
                raise too_large()
            yield piece
    parser.Parse(b"", True)


def too_large() -> UserInputError:
    values = {"max_bytes": MAX_LOADED_BYTES}
    return UserInputError([Problem("spreadsheet_too_large", values=values)])


class SheetScanner:
    """Follows the elements of a sheet; what a cell holds is settled when the next one begins."""

    def __init__(self, name: str, shared: array[int]) -> None:
        self._seen = SheetScan(name)
        self._shared = shared
        self._parser = new_parser()
        self._parser.StartElementHandler = self._start
        self._cells = 0
        self._text_bytes = sum(shared)
        self._first: tuple[int, int] | None = None
        self._last = (0, 0)
        self._row = self._column = 0
        self._row_of_rows = 0
        self._kind = ""
        self._is_counted = True
        self._has_formula = False
        self._piece_has_text = False
        self._value: list[str] = []

    def scan(self, archive: ZipFile, part: str) -> SheetScan:
        for piece in parsed(archive, part, self._parser):
            if self._piece_has_text:
                self._text_bytes += len(piece)
            self._piece_has_text = self._kind in _HELD_AS_TEXT
            self._check()
        self._settle()
        self._check()
        self._seen.loaded_bytes = self._loaded_bytes()
        return self._seen

    def _check(self) -> None:
        if self._loaded_bytes() > MAX_LOADED_BYTES or sum(map(len, self._value)) > _MAX_HELD_BYTES:
            raise too_large()

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if ":" in name:
            name = name.rpartition(":")[2]
        if name == "c":
            self._begin_cell(attributes)
        elif name == "row":
            self._begin_row(attributes)
        elif name in _CONTENTS and not self._is_counted:
            self._count()
        if name == "v":
            if self._has_formula or self._kind in {"s", "e"}:
                self._parser.CharacterDataHandler = self._value.append
        elif self._parser.CharacterDataHandler is not None:
            self._parser.CharacterDataHandler = None
        self._has_formula = self._has_formula or name == "f"

    def _begin_row(self, attributes: dict[str, str]) -> None:
        self._settle()
        self._row_of_rows = int(attributes.get("r", self._row_of_rows + 1))
        self._row, self._column = self._row_of_rows, 0

    def _begin_cell(self, attributes: dict[str, str]) -> None:
        self._settle()
        place = attributes.get("r")
        if place is None:
            self._row, self._column = self._row_of_rows, self._column + 1
        else:
            match = _PLACE.fullmatch(place)
            if match is None:
                raise ValueError(place)
            self._row, self._column = int(match[2]), _column_number(match[1])
        self._kind = attributes.get("t", "")
        self._is_counted = False

    def _count(self) -> None:
        """Count a cell that holds something; a format alone is not loaded."""
        self._is_counted = True
        self._cells += 1
        self._piece_has_text = self._piece_has_text or self._kind in _HELD_AS_TEXT
        row, column = self._row, self._column
        first, last = self._first or (row, column), self._last
        if not (first[0] <= row <= last[0] and first[1] <= column <= last[1]):
            self._first = min(first[0], row), min(first[1], column)
            self._last = max(last[0], row), max(last[1], column)

    def _settle(self) -> None:
        if self._has_formula or self._value:
            self._settle_value("".join(self._value).strip())
            self._value.clear()
        self._kind, self._has_formula, self._is_counted = "", False, True

    def _settle_value(self, value: str) -> None:
        if not value:
            self._seen.without_value += self._has_formula
            self._seen.first_without_value = self._seen.first_without_value or self._row
        elif self._kind == "e" and len(self._seen.errors) < _MAX_ERRORS:
            self._seen.errors[self._row - 1, self._column - 1] = value[:_MAX_ERROR_CHARS]
        elif self._kind == "s" and value.isdecimal() and len(value) < 10 and int(value) < len(self._shared):
            self._text_bytes += self._shared[int(value)]

    def _loaded_bytes(self) -> int:
        first = self._first or (1, 1)
        places = (self._last[0] - first[0] + 1) * (self._last[1] - first[1] + 1)
        return self._cells * CELL_BYTES + places * _PLACE_BYTES + self._text_bytes


@lru_cache(maxsize=20_000)
def _column_number(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number
