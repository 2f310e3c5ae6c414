"""Scans a workbook before it is loaded: which sheet is meant, and what loading it would take.

The reader, calamine, holds a sheet as one rectangle, from the first written cell to the last. One
stray cell at the far end makes it gigabytes, and running out of memory ends the process. Calamine
also leaves out error values. The sheet's XML shows both, and is read as a stream.
"""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from typing import IO, NamedTuple
from xml.etree import ElementTree as ET
from xml.parsers import expat
from zipfile import BadZipFile, ZipFile

from shared.formats.sheets.first_rows import first_rows, first_texts, holds_only_blanks
from shared.formats.sheets.kinds import other_kind, refuse_old_or_encrypted
from shared.formats.sheets.parts import WorkbookParts
from shared.formats.sheets.pictures import drawn_pictures, rich_pictures
from shared.formats.sheets.scanner import CELL_BYTES, SheetScan, SheetScanner
from shared.formats.sheets.xml import MAX_LOADED_BYTES, new_parser, parsed, too_large
from shared.formats.visible_text import folded, visible
from shared.problems.exceptions import UserInputError
from shared.problems.problem import Problem

_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_STRICT_RELATION = "{http://purl.oclc.org/ooxml/officeDocument/relationships}id"

# What the standard library raises for a broken file, or one that is not a workbook.
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


class _Listed(NamedTuple):
    name: str
    part: str | None
    is_visible: bool


def scan_workbook(file: IO[bytes], wanted: str | None) -> SheetScan:
    """Find the sheet ``wanted``, or else the first that people see, and read its XML once.

    Where no sheet is wanted, empty ones are passed over if another is not.

    Raises:
        UserInputError: There is no such sheet, it is too large to load, or it is not a workbook.
    """
    try:
        refuse_old_or_encrypted(file)
        with ZipFile(file) as archive:
            return _scan(WorkbookParts(archive), wanted)
    except BROKEN as error:
        damaged = Problem("unreadable_spreadsheet", values={"reason": str(error)})
        raise UserInputError([other_kind(file) or damaged]) from error


def _scan(parts: WorkbookParts, wanted: str | None) -> SheetScan:
    shared, pictures = _shared_texts(parts), rich_pictures(parts)
    scans: list[SheetScan] = []
    chosen = _choose(list(_sheets(parts)), wanted)
    for name, part, _ in chosen:
        if part is None:
            raise KeyError(f"There is no item named '{name}' in the archive")
        seen = SheetScan(name, part)
        seen.drawn = drawn_pictures(parts, part)
        seen.needs_copy = parts.is_utf16(part, parts.first("sharedStrings"), parts.first("styles"))
        scans.append(SheetScanner(seen, shared, pictures).scan(parts.archive))
        is_last = len(scans) == len(chosen)
        if not (scans[-1].is_empty or (not is_last and _is_blank(parts, scans[-1]))):
            scans[-1].skipped = [each.name for each in scans[:-1]]
            return scans[-1]
    return scans[0]


def _is_blank(parts: WorkbookParts, seen: SheetScan) -> bool:
    return not seen.without_value.cells and holds_only_blanks(parts, seen.part)


def visible_sheets(file: IO[bytes]) -> list[str]:
    """The names of the sheets that people see, in order; of a file that has been scanned."""
    with ZipFile(file) as archive:
        return [sheet.name for sheet in _sheets(WorkbookParts(archive)) if sheet.is_visible]


def beginnings(file: IO[bytes], but: str, rows: int) -> Iterator[tuple[str, list[list[str]]]]:
    """The name and first rows of the sheets that people see, but one; of a scanned file."""
    with ZipFile(file) as archive:
        parts = WorkbookParts(archive)
        others = [each for each in _sheets(parts) if each.is_visible and each.name != but]
        shared = first_texts(parts) if others else []
        for name, part, _ in others:
            with suppress(*BROKEN):  # nobody asked for it
                yield name, first_rows(archive, part, shared, rows) if part else []


def _choose(sheets: list[_Listed], wanted: str | None) -> list[_Listed]:
    """The sheets that may be meant, in order: those that people see, or the one of this name.

    As with columns, what nobody sees of a name makes no difference if one sheet is left.
    """
    if wanted is None:
        if seen := [sheet for sheet in sheets if sheet.is_visible]:
            return seen
    else:
        for way in (str, visible, folded):
            named = [sheet for sheet in sheets if way(sheet.name) == way(wanted)]
            if len(named) == 1:
                return named
    names = ", ".join(sheet.name for sheet in sheets)
    raise UserInputError(
        [Problem("unknown_sheet", field="sheet", found=wanted or "", values={"sheets": names})]
    )


def _sheets(parts: WorkbookParts) -> Iterator[_Listed]:
    for each in parts.tree(parts.main).iter():
        if each.tag.rpartition("}")[2] == "sheet":
            relation = parts.relations.get(each.get(_RELATION) or each.get(_STRICT_RELATION) or "")
            if relation and relation.kind == "worksheet":
                is_visible = each.get("state", "visible") == "visible"
                yield _Listed(each.get("name", ""), relation.part, is_visible)


def _shared_texts(parts: WorkbookParts) -> array[int]:
    """The size of each shared text in its XML; cells refer to them by number."""
    part = parts.first("sharedStrings")
    if part is None:
        return array("Q")
    parser = new_parser()
    begins = array("Q")

    def start(name: str, _attributes: object) -> None:
        if name.rpartition(":")[2] == "si":
            begins.append(parser.CurrentByteIndex)

    parser.StartElementHandler = start
    size_bytes = 0
    for piece in parsed(parts.archive, part, parser):
        size_bytes += len(piece)
        if len(begins) * CELL_BYTES > MAX_LOADED_BYTES:
            raise too_large()
    ends = chain(begins[1:], [size_bytes])
    return array("Q", (end - begin for begin, end in zip(begins, ends, strict=True)))
