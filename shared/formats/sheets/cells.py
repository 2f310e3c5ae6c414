"""What a cell of a sheet's XML means where calamine would lose it, and how columns are named."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

# WPS writes a picture in a cell as a function of its id, Excel and Google as one of its address:
# https://support.microsoft.com/office/7e112975-5e52-4f2a-b9da-1d913d51f5d5
# Programs that do not know the function save an error in its place, or nothing.
_PICTURE = re.compile(r"(?:^|[^A-Z.])(?:_XLFN\.|_XLWS\.)*(?:DISPIMG|IMAGE)\s*\(", re.IGNORECASE)
_SAVED_PICTURE = re.compile(r"=\s*(?:_xlfn\.)?DISPIMG\(", re.IGNORECASE)


class Meaning(Enum):
    """Of a cell that calamine does not read as people see it."""

    ERROR = "error"
    PICTURE = "picture"


class SheetCell(NamedTuple):
    """A cell as its XML has it; ``is_picture`` if its rich value is one."""

    kind: str
    formula: str
    value: str
    is_picture: bool


@dataclass
class Tally:
    """How many cells there are of a sort, and the row of the first, from 1."""

    first_row: int
    cells: int = 0


def meaning_of(cell: SheetCell) -> Meaning | None:
    if cell.kind == "e":
        if cell.is_picture or _PICTURE.search(cell.formula):
            return Meaning.PICTURE
        return Meaning.ERROR if cell.value else None
    if _SAVED_PICTURE.match(cell.value):
        return Meaning.PICTURE
    is_unknown = not cell.value and cell.kind != "str"  # "" is the value of a text
    return Meaning.PICTURE if is_unknown and _PICTURE.search(cell.formula) else None


def column_letters(column: int) -> str:
    """The name that a spreadsheet gives to a column, from 1: ``A``, …, ``Z``, ``AA``."""
    letters = ""
    while column:
        column, letter = divmod(column - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return letters
