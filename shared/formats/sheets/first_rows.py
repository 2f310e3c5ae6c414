"""Reads the first rows of a sheet without loading it: enough to tell what is in it."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from zipfile import ZipFile

from shared.formats.sheets.parts import WorkbookParts
from shared.formats.sheets.xml import PLACE, new_parser, parsed

_LOOKED_AT_BYTES = 128 * 1024
_TEXTS = frozenset({"v", "t"})


def first_texts(parts: WorkbookParts) -> list[str]:
    """The first of the workbook's shared texts; a header that is in two sheets is among them."""
    part = parts.first("sharedStrings")
    if part is None:
        return []
    reader = _Texts("si")
    reader.read_first(parts.archive, part)
    return [text for text, _ in reader.found]


def first_rows(archive: ZipFile, part: str, shared: list[str], most: int) -> list[list[str]]:
    """The texts of the first rows that hold anything; other values only as their XML has them."""
    reader = _Texts("c")
    reader.read_first(archive, part)
    rows: dict[int, list[str]] = {}
    for value, attributes in reader.found:
        text = _text(value, attributes, shared)
        match = PLACE.fullmatch(attributes.get("r", ""))
        if text.strip() and match:
            rows.setdefault(int(match[2]), []).append(text)
            if len(rows) > most:
                break
    return list(islice(rows.values(), most))


def holds_only_blanks(parts: WorkbookParts, part: str) -> bool:
    """Whether no cell of the sheet has more than blanks; a large sheet has."""
    if parts.archive.getinfo(part).file_size > _LOOKED_AT_BYTES:
        return False
    shared = first_texts(parts)
    reader = _Texts("c")
    reader.read_first(parts.archive, part)
    return not any(_text(value, attributes, shared).strip() for value, attributes in reader.found)


def _text(value: str, attributes: Mapping[str, str], shared: list[str]) -> str:
    is_shared = attributes.get("t") == "s" and value.isdecimal() and int(value) < len(shared)
    return shared[int(value)] if is_shared else value


class _Texts:
    """The text in each element of one name."""

    def __init__(self, name: str) -> None:
        self.found: list[tuple[str, dict[str, str]]] = []
        self._name = name
        self._attributes: dict[str, str] = {}
        self._pieces: list[str] = []
        self._reading_aids = 0
        self._parser = new_parser()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end

    def read_first(self, archive: ZipFile, part: str) -> None:
        next(parsed(archive, part, self._parser, _LOOKED_AT_BYTES), None)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        name = name.rpartition(":")[2]
        self._parser.CharacterDataHandler = None
        if name == self._name:
            self._attributes = attributes
        elif name == "rPh":
            self._reading_aids += 1
        elif name in _TEXTS and not self._reading_aids:
            self._parser.CharacterDataHandler = self._pieces.append

    def _end(self, name: str) -> None:
        name = name.rpartition(":")[2]
        self._parser.CharacterDataHandler = None
        if name == "rPh":
            self._reading_aids -= 1
        elif name == self._name:
            self.found.append(("".join(self._pieces), self._attributes))
            self._pieces.clear()
