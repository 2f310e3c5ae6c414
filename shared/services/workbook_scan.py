"""Looks through a workbook before it is loaded: which sheet is meant, how much memory it takes, what loading loses.

The reader, calamine, holds a sheet as one rectangle of cells, from the first written cell to the last; one stray cell
at the far end makes gigabytes of it, and running out of memory in it ends the process. It also leaves out error
values. Both can be seen in the sheet's XML, which streams by at 100 MB/s.
"""

from __future__ import annotations

import re
import zlib
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, NamedTuple
from xml.etree import ElementTree as ET
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
_TAIL_BYTES = 4096
_MAX_ERRORS = 100_000

_TAG = rb"(?:[A-Za-z]\w*:)?"
_CELL = re.compile(rb"<" + _TAG + rb'c [^>]*?\br="([A-Z]{1,3})([0-9]{1,7})"[^>]*(?<!/)>')
_CELL_END = re.compile(rb"</" + _TAG + rb"c>")
_SHARED = re.compile(rb'<%bc [^>]*?\bt="s"[^>]*><%bv>([0-9]{1,9})<' % (_TAG, _TAG))
_ERROR = re.compile(
    rb'<%bc [^>]*?\br="([A-Z]{1,3})([0-9]{1,7})"[^>]*\bt="e"[^>]*>(?:<%bf(?:/>|[^>]*/>|[^>]*>[^<]*</%bf>))?<%bv>(#[^<]{1,30})<'
    % (_TAG, _TAG, _TAG, _TAG)
)
_NO_VALUE = re.compile(rb"(?:</%bf>|<%bf [^>]*/>)\s*(?:<%bv\s*/>|<%bv></%bv>)?\s*</%bc>" % ((_TAG,) * 6))
_TEXT_END = re.compile(rb"</%bsi>|<%bsi\s*/>" % (_TAG, _TAG))

_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_STRICT_RELATION = "{http://purl.oclc.org/ooxml/officeDocument/relationships}id"

# What the standard library raises for a file that is no workbook, or a broken one.
BROKEN = (
    BadZipFile,
    zlib.error,
    ET.ParseError,
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
            return _Scanner(listed.name).scan(archive, listed.part, _shared_texts(archive, relations))
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
    sizes = array("I")
    part = next((part for kind, part in relations.values() if kind == "sharedStrings"), None)
    if part is None or part not in archive.namelist():
        return sizes
    for piece in _pieces(archive, part, _TEXT_END):
        begin = 0
        for end in _TEXT_END.finditer(piece):
            sizes.append(end.start() - begin)
            begin = end.end()
        if sum(sizes[-1:]) > _MAX_HELD_BYTES or len(sizes) * _CELL_BYTES > MAX_LOADED_BYTES:
            raise _too_large()
    return sizes


def _pieces(archive: ZipFile, part: str, ending: re.Pattern[bytes]) -> Iterator[bytes]:
    """The part in pieces that end where ``ending`` does, but the last."""
    held = b""
    with archive.open(part) as stream:
        while read := stream.read(_PIECE_BYTES):
            held += read
            end = _last_end(held, ending)
            if end:
                yield held[:end]
                held = held[end:]
            elif len(held) > _MAX_HELD_BYTES:
                raise _too_large()
    if held:
        yield held


def _last_end(content: bytes, ending: re.Pattern[bytes]) -> int:
    """Where the last match ends; the end of the content is tried first."""
    for begin in (max(0, len(content) - _TAIL_BYTES), 0):
        ends = [match.end() for match in ending.finditer(content, begin)]
        if ends:
            return ends[-1]
    return 0


def _too_large() -> UserInputError:
    values = {"max_bytes": MAX_LOADED_BYTES}
    return UserInputError([Problem("spreadsheet_too_large", values=values)])


class _Scanner:
    def __init__(self, name: str) -> None:
        self._seen = SheetScan(name)
        self._cells = 0
        self._text_bytes = 0
        self._columns: set[bytes] = set()
        self._first_row = 0
        self._last_row = 0

    def scan(self, archive: ZipFile, part: str, shared: array[int]) -> SheetScan:
        self._text_bytes = sum(shared)
        for piece in _pieces(archive, part, _CELL_END):
            self._look_at(piece, shared)
            if self._loaded_bytes() > MAX_LOADED_BYTES:
                raise _too_large()
        self._seen.loaded_bytes = self._loaded_bytes()
        return self._seen

    def _look_at(self, piece: bytes, shared: array[int]) -> None:
        cells = _CELL.findall(piece)
        if not cells:
            return
        self._cells += len(cells)
        self._columns.update({column for column, _ in cells})
        rows = {int(row) for row in {row for _, row in cells}}
        self._first_row = min(rows | {self._first_row or min(rows)})
        self._last_row = max(rows | {self._last_row})
        if b'"inlineStr"' in piece or b't="str"' in piece:
            self._text_bytes += len(piece)
        if b't="s"' in piece:
            numbers = map(int, _SHARED.findall(piece))
            self._text_bytes += sum(shared[number] for number in numbers if number < len(shared))
        self._note_errors(piece)
        self._note_formulas(piece)

    def _note_errors(self, piece: bytes) -> None:
        if b't="e"' not in piece or len(self._seen.errors) > _MAX_ERRORS:
            return
        for column, row, text in _ERROR.findall(piece):
            self._seen.errors[int(row) - 1, _column_number(column) - 1] = text.decode("utf-8", "replace")

    def _note_formulas(self, piece: bytes) -> None:
        if b"<f" not in piece and b":f" not in piece:
            return
        for match in _NO_VALUE.finditer(piece):
            self._seen.without_value += 1
            if not self._seen.first_without_value:
                before = _CELL.findall(piece, 0, match.end())
                self._seen.first_without_value = int(before[-1][1]) if before else 0

    def _loaded_bytes(self) -> int:
        numbers = [_column_number(column) for column in self._columns]
        width = max(numbers) - min(numbers) + 1 if numbers else 0
        places = width * (self._last_row - self._first_row + 1)
        return self._cells * _CELL_BYTES + places * _PLACE_BYTES + self._text_bytes


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number
