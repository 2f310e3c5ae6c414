"""Scans a workbook before it is loaded: which sheet is meant, and what loading it would take.

The reader, calamine, holds a sheet as one rectangle, from the first written cell to the last. One
stray cell at the far end makes it gigabytes, and running out of memory ends the process. Calamine
also leaves out error values. The sheet's XML shows both, and is read as a stream.
"""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Iterator
from itertools import chain
from typing import IO, NamedTuple
from xml.etree import ElementTree as ET
from xml.parsers import expat
from zipfile import BadZipFile, ZipFile

from shared.formats.sizes import MIB
from shared.formats.tables.sheet_scanner import (
    CELL_BYTES,
    MAX_LOADED_BYTES,
    SheetScan,
    SheetScanner,
    new_parser,
    parsed,
    too_large,
)
from shared.problems.exceptions import UserInputError
from shared.problems.problem import Problem

_MAX_PART_BYTES = 8 * MIB  # of the parts that only name others

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
    part: str
    is_visible: bool


def scan_workbook(file: IO[bytes], wanted: str | None) -> SheetScan:
    """Find the sheet ``wanted``, or else the first that is not hidden, and read its XML once.

    Raises:
        UserInputError: There is no such sheet, it is too large to load, or it is not a workbook.
    """
    try:
        with ZipFile(file) as archive:
            relations = _relations(archive)
            listed = _choose(list(_sheets(archive, relations)), wanted)
            return SheetScanner(listed.name, _shared_texts(archive, relations)).scan(archive, listed.part)
    except BROKEN as error:
        raise UserInputError([Problem("unreadable_spreadsheet", values={"reason": str(error)})]) from error


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
    # expat limits what entities grow to, and fetches nothing: https://docs.python.org/3/library/xml.html#xml-security
    return ET.fromstring(content)  # noqa: S314


def _shared_texts(archive: ZipFile, relations: dict[str, tuple[str, str]]) -> array[int]:
    """The size of each shared text in its XML; cells refer to them by number."""
    part = next((part for kind, part in relations.values() if kind == "sharedStrings"), None)
    if part is None or part not in archive.namelist():
        return array("Q")
    parser = new_parser()
    begins = array("Q")

    def start(name: str, _attributes: object) -> None:
        if name.rpartition(":")[2] == "si":
            begins.append(parser.CurrentByteIndex)

    parser.StartElementHandler = start
    size_bytes = 0
    for piece in parsed(archive, part, parser):
        size_bytes += len(piece)
        if len(begins) * CELL_BYTES > MAX_LOADED_BYTES:
            raise too_large()
    ends = chain(begins[1:], [size_bytes])
    return array("Q", (end - begin for begin, end in zip(begins, ends, strict=True)))
