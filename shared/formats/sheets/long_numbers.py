"""Finds in a sheet's XML the numbers that calamine changes.

It reads long whole numbers as floats, and a negative one with the format of a clock as if it were
positive.
"""

from __future__ import annotations

import re
from collections import deque
from zipfile import ZipFile

from shared.formats.sheets.xml import PLACE, column_number, new_parser, parsed

_CHANGED = re.compile(r"[1-9][0-9]{15,20}|-[0-9.].*")


class LongNumbers:
    """Follows the sheet as its rows are read, so that few numbers are held at a time."""

    def __init__(self, archive: ZipFile, part: str) -> None:
        """Prepare to read; the archive stays open meanwhile."""
        self._parser = new_parser()
        self._parser.StartElementHandler = self._start
        self._pieces = parsed(archive, part, self._parser)
        self._found: deque[tuple[tuple[int, int], str]] = deque()
        self._row = self._column = self._row_of_rows = 0
        self._value: list[str] = []
        self._has_ended = False

    def digits(self, row: int, column: int) -> str | None:
        """What the file has in this cell, both from 1; ask in the order of the sheet."""
        while True:
            while self._found and self._found[0][0] <= (row, column):
                place, digits = self._found.popleft()
                if place == (row, column):
                    return digits
            if self._found or self._has_ended:
                return None
            self._has_ended = next(self._pieces, None) is None
            if self._has_ended:
                self._settle()

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        name = name.rpartition(":")[2]
        self._parser.CharacterDataHandler = None
        if name == "row":
            self._settle()
            self._row_of_rows = int(attributes.get("r", self._row_of_rows + 1))
            self._row, self._column = self._row_of_rows, 0
        elif name == "c":
            self._settle()
            match = PLACE.fullmatch(attributes.get("r", ""))
            self._row = int(match[2]) if match else self._row_of_rows
            self._column = column_number(match[1]) if match else self._column + 1
        elif name == "v":
            self._parser.CharacterDataHandler = self._value.append

    def _settle(self) -> None:
        value = "".join(self._value).strip()
        if _CHANGED.fullmatch(value):
            self._found.append(((self._row, self._column), value))
        self._value.clear()
