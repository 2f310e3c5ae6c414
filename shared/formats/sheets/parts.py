"""Finds the parts of a workbook in its archive, however its writer spelled their names.

By the standard, a part's name ignores case, and a target is a path: relative, absolute or with
``..`` (ECMA-376 part 2, 6.2 and 6.5). Some writers use backslashes, or leave relations out.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import unquote
from xml.etree import ElementTree as ET
from zipfile import BadZipFile, ZipFile

from shared.formats.sizes import MIB

_MAX_PART_BYTES = 8 * MIB  # of the parts that only name others
_MAIN_PART = "xl/workbook.xml"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


class Relation(NamedTuple):
    """What a part says of another: the last word of the type, and the part, if it is there."""

    kind: str
    part: str | None


class WorkbookParts:
    """The parts by their names as the archive spells them; open while the archive is.

    Raises:
        KeyError: There is no workbook in the archive.
    """

    def __init__(self, archive: ZipFile) -> None:
        self.archive = archive
        self._names = {_plain(name): name for name in archive.namelist()}
        self.main = self._main_part()
        self.relations = self.relations_of(self.main)

    def _main_part(self) -> str:
        stated = [each.part for each in self.relations_of("").values() if each.kind == "officeDocument"]
        main = next(filter(None, stated), None) or self.find(_MAIN_PART)
        if main is None:
            raise KeyError(f"There is no item named '{_MAIN_PART}' in the archive")  # as zipfile says it
        return main

    def find(self, name: str) -> str | None:
        return self._names.get(_plain(name)) or self._names.get(_plain(unquote(name)))

    def first(self, kind: str) -> str | None:
        """The part of this kind that the workbook names first."""
        return next((part for each, part in self.relations.values() if each == kind and part), None)

    def tree(self, part: str) -> ET.Element:
        with self.archive.open(part) as stream:
            content = stream.read(_MAX_PART_BYTES + 1)
        if len(content) > _MAX_PART_BYTES:
            raise BadZipFile(part)
        # expat limits what entities grow to, and fetches nothing: https://docs.python.org/3/library/xml.html#xml-security
        return ET.fromstring(content)  # noqa: S314

    def relations_of(self, part: str) -> dict[str, Relation]:
        """What ``part`` refers to, by id; the archive as a whole is ``""``."""
        folder, name = posixpath.split(_path(part))
        listed = self.find(posixpath.join(folder, "_rels", f"{name}.rels"))
        return dict(self._listed_in(listed, folder)) if listed else {}

    def _listed_in(self, listed: str, folder: str) -> Iterator[tuple[str, Relation]]:
        for each in self.tree(listed):
            if each.get("TargetMode") != "External":
                target = each.get("Target", "").replace("\\", "/")
                part = self.find(posixpath.join(folder, target)) or self.find(target)
                yield each.get("Id", ""), Relation(each.get("Type", "").rpartition("/")[2], part)

    def is_utf16(self, *parts: str | None) -> bool:
        """Whether one of the parts is UTF-16, of which calamine sees nothing, without a word."""
        return any(self.archive.open(part).read(2) in _UTF16 for part in parts if part)


def _path(name: str) -> str:
    return posixpath.normpath("/" + name.replace("\\", "/")).lstrip("/")


def _plain(name: str) -> str:
    return _path(name).casefold()
