"""Scans the XML of one sheet: how much memory its cells take when loaded, and what loading loses.

A cell is what calamine takes for one: names count by their local part, and a cell without a
reference is the next one.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from zipfile import ZipFile

from shared.formats.sheets.cells import Meaning, SheetCell, Tally, meaning_of
from shared.formats.sheets.xml import (
    MAX_HELD_BYTES,
    MAX_LOADED_BYTES,
    PLACE,
    column_number,
    new_parser,
    parsed,
    too_large,
)

# Of a cell, of a place in the rectangle (calamine's) and of a merged cell, as measured.
CELL_BYTES = 40
_PLACE_BYTES = 32
_MERGED_BYTES = 200
_MAX_CHANGED = 100_000
_MAX_ERROR_CHARS = 30

_CONTENTS = frozenset({"v", "f", "is"})
_CAPTURED = frozenset({"v", "f"})
_CAPTURED_KINDS = frozenset({"s", "e", "str"})
_HELD_AS_TEXT = frozenset({"str", "inlineStr", "d"})


@dataclass
class SheetScan:
    """One sheet of a workbook, seen but not loaded; rows and columns count from 1.

    Attributes:
        name: As the workbook's author wrote it.
        part: Its name in the archive.
        changed: By row and column, what people see where calamine reads something else or nothing.
        pictures: Those in cells, by column.
        without_value: Formulas without a saved value.
        merged: The first and last row of the cells that are merged downwards, by their columns.
        drawn: The row and column of pictures that lie on top of the cells.
        has_negative: There may be negative numbers.
        needs_copy: Calamine would not read it right, without a word.
        skipped: The sheets before it, which are empty.
    """

    name: str
    part: str
    changed: dict[int, dict[int, str]] = field(default_factory=dict)
    pictures: dict[int, Tally] = field(default_factory=dict)
    without_value: Tally = field(default_factory=lambda: Tally(0))
    merged: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    drawn: list[tuple[int, int]] = field(default_factory=list)
    has_negative: bool = False
    needs_copy: bool = False
    is_empty: bool = False
    skipped: list[str] = field(default_factory=list)
    loaded_bytes: int = 0


class SheetScanner:
    """Follows the elements of a sheet; what a cell holds is settled when the next one begins."""

    def __init__(self, seen: SheetScan, shared: array[int], pictures: frozenset[str]) -> None:
        """``pictures`` are the numbers of the rich values that are pictures."""
        self._seen = seen
        self._shared = shared
        self._pictures = pictures
        self._parser = new_parser()
        self._parser.StartElementHandler = self._start
        self._cells = self._merged = self._changed = 0
        self._text_bytes = sum(shared)
        self._first: tuple[int, int] | None = None
        self._last = (0, 0)
        self._row = self._column = 0
        self._row_of_rows = 0
        self._kind = ""
        self._rich = ""
        self._is_counted = True
        self._has_formula = False
        self._piece_has_text = False
        self._has_value = False
        self._value: list[str] = []
        self._formula: list[str] = []

    def scan(self, archive: ZipFile) -> SheetScan:
        for piece in parsed(archive, self._seen.part, self._parser):
            if b">-" in piece or piece.startswith(b"-"):
                self._seen.has_negative = True
            if self._piece_has_text:
                self._text_bytes += len(piece)
            self._piece_has_text = self._kind in _HELD_AS_TEXT
            self._check()
        self._settle()
        self._check()
        self._seen.is_empty = self._first is None
        self._seen.loaded_bytes = self._loaded_bytes()
        return self._seen

    def _check(self) -> None:
        held = sum(map(len, self._value)) + sum(map(len, self._formula))
        if self._loaded_bytes() > MAX_LOADED_BYTES or held > MAX_HELD_BYTES:
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
        elif name == "mergeCell":
            self._merge(attributes.get("ref", ""))
        if name in _CAPTURED:
            self._capture(name)
        elif self._parser.CharacterDataHandler is not None:
            self._parser.CharacterDataHandler = None

    def _capture(self, name: str) -> None:
        handler = None
        if name == "f":
            handler, self._has_formula = self._formula.append, True
        elif self._has_formula or self._kind in _CAPTURED_KINDS:
            handler, self._has_value = self._value.append, True
        self._parser.CharacterDataHandler = handler

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
            match = PLACE.fullmatch(place)
            if match is None:
                raise ValueError(place)
            self._row, self._column = int(match[2]), column_number(match[1])
        self._kind = attributes.get("t", "")
        if self._kind == "e":
            self._rich = attributes.get("vm", "")
        self._is_counted = False

    def _merge(self, reference: str) -> None:
        places = [PLACE.fullmatch(place) for place in reference.split(":")]
        if len(places) == 2 and places[0] and places[1]:
            top, bottom = int(places[0][2]), int(places[1][2])
            if top < bottom:
                self._merged += 1
                self._seen.merged.setdefault(column_number(places[0][1]), []).append((top, bottom))

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
        if self._has_formula or self._has_value:
            self._settle_value("".join(self._value).strip())
            self._value.clear()
            self._formula.clear()
            self._has_formula = self._has_value = False
        self._kind, self._rich, self._is_counted = "", "", True

    def _settle_value(self, value: str) -> None:
        if self._kind == "s":
            if value.isdecimal() and len(value) < 10 and int(value) < len(self._shared):
                self._text_bytes += self._shared[int(value)]
            return
        cell = SheetCell(self._kind, "".join(self._formula), value, self._rich in self._pictures)
        if meaning := meaning_of(cell):
            self._change(value[:_MAX_ERROR_CHARS] if meaning is Meaning.ERROR else "")
            if meaning is Meaning.PICTURE:
                self._seen.pictures.setdefault(self._column, Tally(self._row)).cells += 1
        elif not value and not (self._kind == "str" and self._has_value):  # "" is a value of texts
            without = self._seen.without_value
            without.first_row = without.first_row or self._row
            without.cells += 1

    def _change(self, text: str) -> None:
        self._changed += 1
        if self._changed <= _MAX_CHANGED:
            self._seen.changed.setdefault(self._row, {})[self._column] = text
        else:
            self._seen.needs_copy = True

    def _loaded_bytes(self) -> int:
        first = self._first or (1, 1)
        places = (self._last[0] - first[0] + 1) * (self._last[1] - first[1] + 1)
        merged = self._merged * _MERGED_BYTES
        return self._cells * CELL_BYTES + places * _PLACE_BYTES + self._text_bytes + merged
