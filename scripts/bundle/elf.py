"""Leaves out of a compiled library what no loader reads: the names for debuggers."""

from __future__ import annotations

import struct

# Of a 64-bit library of little-endian machines, which is all that a zip holds:
# https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html
_MAGIC = b"\x7fELF\x02\x01"
_PROGRAM_TABLE = struct.Struct("<32xQ14xHH6x")  # its place, the size of an entry, how many
_SEGMENT = struct.Struct("<8xQ16xQ16x")  # its place and its size in the file
_SECTION_TABLE, _SECTION_COUNTS = slice(40, 48), slice(60, 64)


def loaded_part(content: bytes) -> bytes:
    """Everything up to the last segment; sections, which only tools read, come behind them.

    It is what ``strip --strip-section-headers`` does where the table of segments comes first. A
    fifth of a library's zip is such names. What is no such library stays as it is.
    """
    if not content.startswith(_MAGIC):
        return content
    table, size, count = _PROGRAM_TABLE.unpack_from(content)
    places = (_SEGMENT.unpack_from(content, table + size * number) for number in range(count))
    end = max(table + size * count, *(first + length for first, length in places))
    header = bytearray(content[:64])
    header[_SECTION_TABLE] = bytes(8)
    header[_SECTION_COUNTS] = bytes(4)
    return bytes(header) + content[64:end]
