"""Looks through a workbook before it is loaded: which sheet is meant, how much memory it takes, what loading loses.

The reader, calamine, holds a sheet as one rectangle of cells, from the first written cell to the last; one stray cell
at the far end makes gigabytes of it, and running out of memory in it ends the process. It also leaves out error
values. Both can be seen in the sheet's XML, which streams by; what counts as a cell there is what calamine takes for
one: names by their local part, and whatever has no number is the next.
"""

from __future__ import annotations

import re
import zlib
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import IO, NamedTuple
from xml.etree import ElementTree as ET
from xml.parsers import expat
from zipfile import BadZipFile, ZipFile

from shared.domain.errors import UserInputError
from shared.domain.limits import MIB
from shared.domain.problems import Problem

# Half of what the function has; the bytes of a cell and of a place in the rectangle are calamine's own, as measured.
MAX_LOADED_BYTES = 512 * MIB
_CELL_BYTES = 40
_PLACE_BYTES = 32

_PIECE_BYTES = MIB
_MAX_PART_BYTES = 8 * MIB  # of the parts that only name others
_MAX_HELD_BYTES = 16 * MIB  # a cell has 32,767 characters at most
_MAX_ERRORS = 100_000
_MAX_ERROR_CHARS = 30

_PLACE = re.compile(r"([A-Za-z]{1,3})([0-9]{1,7})")
_CONTENTS = frozenset({"v", "f", "is"})
_HELD_AS_TEXT = frozenset({"str", "inlineStr"})

_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_STRICT_RELATION = "{http://purl.oclc.org/ooxml/officeDocument/relationships}id"

# What the standard library raises for a file that is no workbook, or a broken one.
BROKEN = (
    BadZipFile,
    zlib.error,
    ET.ParseError,
    expat.ExpatError,
    KeyError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)


@dataclass
class SheetScan:
    """One sheet of a workbook, seen but not loaded.

    Attributes:
        name: As the workbook's author wrote it.
        errors: The text of each error value, such as ``#N/A``, by row and column, both from 0.
        first_without_value: The row, from 1, of the first formula whose value was not saved; 0 if there is none.
        without_value: How many such formulas there are.
    """

    name: str
    errors: dict[tuple[int, int], str] = field(default_factory=dict)
    first_without_value: int = 0
    without_value: int = 0
    loaded_bytes: int = 0


class _Listed(NamedTuple):
    name: str
    part: str
    is_visible: bool


def scan_workbook(file: IO[bytes], wanted: str | None) -> SheetScan:
    """Find the sheet ``wanted``, or else the first that is not hidden, and read its XML once.

    Raises:
        UserInputError: There is no such sheet, or it is too large to be loaded, or this is no workbook.
    """
    try:
        with ZipFile(file) as archive:
            relations = _relations(archive)
            listed = _choose(list(_sheets(archive, relations)), wanted)
            return _Scanner(listed.name, _shared_texts(archive, relations)).scan(archive, listed.part)
    except BROKEN as error:
        raise UserInputError([Problem("unreadable_spreadsheet", found=str(error))]) from error


def _choose(sheets: list[_Listed], wanted: str | None) -> _Listed:
    for sheet in sheets:
        if sheet.name == wanted or (wanted is None and sheet.is_visible):
            return sheet
    names = ", ".join(sheet.name for sheet in sheets)
    raise UserInputError(
        [Problem("unknown_sheet", field="sheet", found=wanted or "", values={"sheets": names})]
    )


def _relations(archive: ZipFile) -> dict[str, tuple[str, str]]:
    """By id: the kind of the part, and its name in the archive."""
    found = {}
    for each in _tree(archive, "xl/_rels/workbook.xml.rels"):
        target = each.get("Target", "")
        part = target[1:] if target.startswith("/") else f"xl/{target}"
        found[each.get("Id", "")] = (each.get("Type", "").rpartition("/")[2], part)
    return found


def _sheets(archive: ZipFile, relations: dict[str, tuple[str, str]]) -> Iterator[_Listed]:
    for each in _tree(archive, "xl/workbook.xml").iter():
        if each.tag.rpartition("}")[2] == "sheet":
            relation = each.get(_RELATION) or each.get(_STRICT_RELATION) or ""
            kind, part = relations.get(relation, ("", ""))
            if kind == "worksheet":
                yield _Listed(each.get("name", ""), part, each.get("state", "visible") == "visible")


def _tree(archive: ZipFile, part: str) -> ET.Element:
    with archive.open(part) as stream:
        content = stream.read(_MAX_PART_BYTES + 1)
    if len(content) > _MAX_PART_BYTES:
        raise BadZipFile(part)
    # expat bounds what entities may grow to, and fetches nothing: https://docs.python.org/3/library/xml.html#xml-security
    return ET.fromstring(content)  # noqa: S314


def _shared_texts(archive: ZipFile, relations: dict[str, tuple[str, str]]) -> array[int]:
    """The size of each shared text in its XML; cells refer to them by number."""
    part = next((part for kind, part in relations.values() if kind == "sharedStrings"), None)
    if part is None or part not in archive.namelist():
        return array("Q")
    parser = _parser()
    begins = array("Q")

    def start(name: str, _attributes: object) -> None:
        if name.rpartition(":")[2] == "si":
            begins.append(parser.CurrentByteIndex)

    parser.StartElementHandler = start
    size_bytes = 0
    for piece in _parsed(archive, part, parser):
        size_bytes += len(piece)
        if len(begins) * _CELL_BYTES > MAX_LOADED_BYTES:
            raise _too_large()
    ends = chain(begins[1:], [size_bytes])
    return array("Q", (end - begin for begin, end in zip(begins, ends, strict=True)))


def _parser() -> expat.XMLParserType:
    # In UTF-8 whatever the file says, as calamine reads it.
    parser = expat.ParserCreate("utf-8")
    parser.StartDoctypeDeclHandler = _refuse_doctype
    return parser


def _refuse_doctype(*_: object) -> None:
    """No program writes one into a workbook, and only with one can entities grow."""
    raise BadZipFile("<!DOCTYPE")


def _parsed(archive: ZipFile, part: str, parser: expat.XMLParserType) -> Iterator[bytes]:
    """The pieces of the part, each after the parser has seen it."""
    size_bytes = 0
    with archive.open(part) as stream:
        while piece := stream.read(_PIECE_BYTES):
            parser.Parse(piece)
            size_bytes += len(piece)
            # A tag that does not end is held, and by old versions of expat read anew with each piece.
            if size_bytes - parser.CurrentByteIndex > _MAX_HELD_BYTES:
                raise _too_large()
            yield piece
    parser.Parse(b"", True)


def _too_large() -> UserInputError:
    values = {"max_bytes": MAX_LOADED_BYTES}
    return UserInputError([Problem("spreadsheet_too_large", values=values)])


class _Scanner:
    """Follows the elements of a sheet; what a cell holds is settled when the next one begins."""

    def __init__(self, name: str, shared: array[int]) -> None:
        self._seen = SheetScan(name)
        self._shared = shared
        self._parser = _parser()
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
        for piece in _parsed(archive, part, self._parser):
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
            raise _too_large()

    def _start(self, name: str, attributes: dict[str, str]) -> None:
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
        """A cell that has anything in it; a format alone is not loaded."""
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
        return self._cells * _CELL_BYTES + places * _PLACE_BYTES + self._text_bytes


def _column_number(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number
