"""Where a workbook has pictures: in cells as rich values, and lying on top of the cells."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree as ET
from zipfile import BadZipFile

from shared.formats.sheets.parts import WorkbookParts

# What a part that only describes pictures may raise: it is no reason to refuse the cells.
_BROKEN = (ET.ParseError, BadZipFile, KeyError, IndexError, ValueError)


def rich_pictures(parts: WorkbookParts) -> frozenset[str]:
    """The numbers of value metadata (``vm`` of a cell) that stand for pictures.

    A cell names its metadata, which names a rich value, which names its structure, such as
    ``_localImage`` (MS-XLSX 2.3.6). Other structures are stocks, places and errors.
    """
    try:
        return frozenset(_rich_pictures(parts))
    except _BROKEN:
        return frozenset()


def _rich_pictures(parts: WorkbookParts) -> Iterator[str]:
    names = [parts.first(kind) for kind in ("sheetMetadata", "rdRichValue", "rdRichValueStructure")]
    metadata, values, structures = [list(parts.tree(name)) if name else [] for name in names]
    pictured = ["image" in each.get("t", "").lower() for each in structures]
    rich = [pictured[int(each.get("s", ""))] for each in values]
    blocks = [each for each in metadata if each.get("name") == "XLRICHVALUE" and len(each)]
    future = [_number(block, "rvb", "i") for each in blocks for block in each if _is(each, "futureMetadata")]
    for each in metadata:
        if _is(each, "valueMetadata"):
            for number, block in enumerate(each, start=1):
                if rich[future[_number(block, "rc", "v")]]:
                    yield str(number)


def _number(block: ET.Element, name: str, attribute: str) -> int:
    numbers = [each.get(attribute, "") for each in block.iter() if _is(each, name)]
    return int(numbers[0])


def drawn_pictures(parts: WorkbookParts, sheet: str) -> list[tuple[int, int]]:
    """The rows and columns, from 1, of the cells on which the corners of pictures lie."""
    try:
        drawings = [each.part for each in parts.relations_of(sheet).values() if each.kind == "drawing"]
        return [place for part in drawings if part for place in _corners(parts.tree(part))]
    except _BROKEN:
        return []


def _corners(drawing: ET.Element) -> Iterator[tuple[int, int]]:
    for anchor in drawing:
        if any(_is(each, "pic") for each in anchor.iter()):
            corner = next((each for each in anchor if _is(each, "from")), None)
            if corner is not None:
                places = {each.tag.rpartition("}")[2]: int(each.text or "") for each in corner}
                yield places["row"] + 1, places["col"] + 1


def _is(element: ET.Element, name: str) -> bool:
    return element.tag.rpartition("}")[2] == name
