"""The parts of a workbook as pieces of XML, within bounds of memory."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from xml.parsers import expat
from zipfile import BadZipFile, ZipFile

from shared.formats.sizes import MIB
from shared.problems.exceptions import UserInputError
from shared.problems.problem import Problem

# Half of the function's memory.
MAX_LOADED_BYTES = 512 * MIB

MAX_HELD_BYTES = 16 * MIB  # a cell has 32,767 characters at most

PLACE = re.compile(r"([A-Za-z]{1,3})([0-9]{1,7})")  # of a cell, such as B2


def new_parser() -> expat.XMLParserType:
    # In UTF-8 whatever the file says, as calamine reads it.
    parser = expat.ParserCreate("utf-8")
    parser.StartDoctypeDeclHandler = _refuse_doctype
    return parser


def _refuse_doctype(*_: object) -> None:
    """No program writes a DOCTYPE into a workbook, and only with one can entities grow."""
    raise BadZipFile("<!DOCTYPE")


def parsed(
    archive: ZipFile, part: str, parser: expat.XMLParserType, piece_bytes: int = MIB
) -> Iterator[bytes]:
    """The pieces of the part, each after the parser has seen it."""
    size_bytes = 0
    with archive.open(part) as stream:
        while piece := stream.read(piece_bytes):
            parser.Parse(piece)
            size_bytes += len(piece)
            # expat holds a tag that does not end; old versions read it again with each piece.
            if size_bytes - parser.CurrentByteIndex > MAX_HELD_BYTES:
                raise too_large()
            yield piece
    parser.Parse(b"", True)


def too_large() -> UserInputError:
    values = {"max_bytes": MAX_LOADED_BYTES}
    return UserInputError([Problem("spreadsheet_too_large", values=values)])


@lru_cache(maxsize=20_000)
def column_number(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number
