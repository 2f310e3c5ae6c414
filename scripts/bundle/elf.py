"""Leaves out of a compiled library what no loader reads, and libraries that it does not use."""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator
from typing import NamedTuple

# Of a 64-bit library of little-endian machines, which is all that a zip holds:
# https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html
_MAGIC = b"\x7fELF\x02\x01"
_PROGRAM_TABLE = struct.Struct("<32xQ14xHH6x")  # its place, the size of an entry, how many
_SEGMENT = struct.Struct("<I4xQQ8xQ16x")
_LOADED, _DYNAMIC = 1, 2  # kinds of segments
# What the loader is told, as pairs: https://refspecs.linuxfoundation.org/elf/gabi4+/ch5.dynamic.html
_ENTRY = struct.Struct("<QQ")
_NEEDED, _NAMES = 1, 5  # the place of another library's name; the address of all names
_SECTION_TABLE, _SECTION_COUNTS = slice(40, 48), slice(60, 64)


class _Segment(NamedTuple):
    kind: int
    first: int  # its place in the file
    address: int
    size: int


def loaded_part(content: bytes) -> bytes:
    """Everything up to the last segment; sections, which only tools read, come behind them.

    It is what ``strip --strip-section-headers`` does where the table of segments comes first. A
    fifth of a library's zip is such names. What is no such library stays as it is.
    """
    if not content.startswith(_MAGIC):
        return content
    table, size, count = _PROGRAM_TABLE.unpack_from(content)
    end = max(table + size * count, *(each.first + each.size for each in _segments(content)))
    header = bytearray(content[:64])
    header[_SECTION_TABLE] = bytes(8)
    header[_SECTION_COUNTS] = bytes(4)
    return bytes(header) + content[64:end]


def without(content: bytes, libraries: Collection[str]) -> bytes:
    """The same library, which does not ask the loader for these others.

    A linker notes every library that it is given, used or not. Nothing moves: the entries that
    follow take the place of those that go.
    """
    dynamic = [each for each in _segments(content) if each.kind == _DYNAMIC]
    if not (libraries and dynamic):
        return content
    first, size = dynamic[0].first, dynamic[0].size
    entries = list(_ENTRY.iter_unpack(content[first : first + size]))
    names = _place_of(content, dict(entries)[_NAMES])
    kept = [
        (what, value)
        for what, value in entries
        if what != _NEEDED or _text_at(content, names + value) not in libraries
    ]
    table = b"".join(_ENTRY.pack(*each) for each in kept)
    return content[:first] + table.ljust(size, b"\0") + content[first + size :]


def _segments(content: bytes) -> Iterator[_Segment]:
    if content.startswith(_MAGIC):
        table, size, count = _PROGRAM_TABLE.unpack_from(content)
        yield from (_Segment(*_SEGMENT.unpack_from(content, table + size * at)) for at in range(count))


def _place_of(content: bytes, address: int) -> int:
    loaded = (each for each in _segments(content) if each.kind == _LOADED)
    segment = next(each for each in loaded if each.address <= address < each.address + each.size)
    return segment.first + address - segment.address


def _text_at(content: bytes, place: int) -> str:
    return content[place : content.index(b"\0", place)].decode()
