"""Writes one sheet as a workbook that calamine reads, where it would not read the original right.

The copy has the usual parts under their usual names, in UTF-8, and in its cells what people see:
errors are texts, and pictures are nothing.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import IO
from xml.sax.saxutils import escape, quoteattr
from zipfile import ZIP_DEFLATED, ZipFile

from shared.formats.sheets.cells import Meaning, SheetCell, meaning_of
from shared.formats.sheets.parts import WorkbookParts
from shared.formats.sheets.pictures import rich_pictures
from shared.formats.sheets.scanner import SheetScan
from shared.formats.sheets.xml import new_parser, parsed
from shared.formats.tables.workbook_parts import MAIN, OFFICE, relations

_SHEET_PART = "xl/worksheets/sheet1.xml"
_KINDS = frozenset({"", "n", "b", "s", "d", "str", "inlineStr"})
_CHUNK = 1024 * 1024
_DECLARATION = re.compile(r"^\ufeff?<\?xml[^>]*\?>")
_RETURN = {"\r": "&#13;"}  # a parser would make a line feed of it


def write_copy(parts: WorkbookParts, scan: SheetScan, out: IO[bytes]) -> None:
    """Write the sheet that was scanned, with the texts and formats that it refers to."""
    targets = [("worksheets/sheet1.xml", "worksheet")]
    with ZipFile(out, "w", ZIP_DEFLATED, compresslevel=1) as copy:
        with copy.open(_SHEET_PART, "w", force_zip64=True) as stream:
            for text in _SheetXml(rich_pictures(parts)).written(parts, scan.part):
                stream.write(text.encode())
        for kind in ("sharedStrings", "styles"):
            if part := parts.first(kind):
                targets.append((f"{kind}.xml", kind))
                with copy.open(f"xl/{kind}.xml", "w", force_zip64=True) as stream:
                    stream.writelines(_in_utf8(parts, part))
        copy.writestr("xl/workbook.xml", _workbook(parts, scan.name))
        copy.writestr("xl/_rels/workbook.xml.rels", relations(targets))
        copy.writestr("_rels/.rels", relations([("xl/workbook.xml", "officeDocument")]))
        copy.writestr("[Content_Types].xml", "<Types/>")


def _workbook(parts: WorkbookParts, name: str) -> str:
    properties = [each for each in parts.tree(parts.main) if each.tag.rpartition("}")[2] == "workbookPr"]
    epoch = "".join(f' date1904="{each.get("date1904")}"' for each in properties if each.get("date1904"))
    sheet = f'<sheet name={quoteattr(name)} sheetId="1" r:id="rId1"/>'
    return (
        f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><workbookPr{epoch}/><sheets>{sheet}</sheets></workbook>'
    )


def _in_utf8(parts: WorkbookParts, part: str) -> Iterator[bytes]:
    encoding = "utf-16" if parts.is_utf16(part) else "utf-8"
    with parts.archive.open(part) as stream, io.TextIOWrapper(stream, encoding, newline="") as texts:
        head = texts.read(_CHUNK)
        yield _DECLARATION.sub("", head, count=1).encode()
        while text := texts.read(_CHUNK):
            yield text.encode()


class _SheetXml:
    """The elements of a sheet as calamine needs them, written as they are read."""

    def __init__(self, pictures: frozenset[str]) -> None:
        self._pictures = pictures
        self._parser = new_parser()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._written: list[str] = []
        self._cell: dict[str, str] | None = None
        self._texts: dict[str, list[str]] = {"v": [], "f": [], "t": []}
        self._reading_aids = 0

    def written(self, parts: WorkbookParts, sheet: str) -> Iterator[str]:
        yield f'<worksheet xmlns="{MAIN}"><sheetData>'
        for _ in parsed(parts.archive, sheet, self._parser):
            yield "".join(self._written)
            self._written.clear()
        yield "</sheetData></worksheet>"

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        name = name.rpartition(":")[2]
        self._parser.CharacterDataHandler = None
        if name == "row":
            self._written.append(f"<row{_written(attributes, 'r')}>")
        elif name == "c":
            self._cell = attributes
        elif name == "rPh":
            self._reading_aids += 1
        elif self._cell is not None and name in self._texts and not self._reading_aids:
            self._parser.CharacterDataHandler = self._texts[name].append

    def _end(self, name: str) -> None:
        name = name.rpartition(":")[2]
        self._parser.CharacterDataHandler = None
        if name == "row":
            self._written.append("</row>")
        elif name == "rPh":
            self._reading_aids -= 1
        elif name == "c" and self._cell is not None:
            self._write_cell(self._cell)
            self._cell = None
            for texts in self._texts.values():
                texts.clear()

    def _write_cell(self, attributes: dict[str, str]) -> None:
        formula, value, text = ("".join(self._texts[name]) for name in ("f", "v", "t"))
        kind = attributes.get("t", "")
        meaning = meaning_of(SheetCell(kind, formula, value.strip(), attributes.get("vm") in self._pictures))
        if kind != "str":
            value = value.strip()
        if meaning is Meaning.PICTURE:
            value = ""
        if meaning is not None or kind not in _KINDS:
            kind = "str"
        attributes["t"] = kind or "n"
        content = f"<is>{_text('t', text)}</is>" if kind == "inlineStr" else _text("v", value)
        self._written.append(f"<c{_written(attributes, 'r', 's', 't')}>{content}</c>")


def _written(attributes: dict[str, str], *names: str) -> str:
    return "".join(f" {name}={quoteattr(attributes[name])}" for name in names if name in attributes)


def _text(name: str, text: str) -> str:
    return f'<{name} xml:space="preserve">{escape(text, _RETURN)}</{name}>'
