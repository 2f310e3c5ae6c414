from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path

import fastcrc
import pytest

from scripts.bundle.elf import loaded_part, without

HEADER_BYTES, ENTRY_BYTES = 64, 56


def library(*segments: tuple[int, int], table: int = HEADER_BYTES, size: int = 400) -> bytes:
    """An ELF file with these segments, by place and size, and sections at its end."""
    content = bytearray(bytes(range(256)) * 8)[:size]
    content[:6] = b"\x7fELF\x02\x01"
    struct.pack_into("<Q", content, 32, table)
    struct.pack_into("<Q", content, 40, size - 64)
    struct.pack_into("<HHHHH", content, 54, ENTRY_BYTES, len(segments), 64, 1, 0)
    for number, (first, length) in enumerate(segments):
        struct.pack_into("<IIQQQQ", content, table + number * ENTRY_BYTES, 1, 5, first, 0, 0, length)
    return bytes(content)


def test_what_lies_behind_the_last_segment_is_left_out() -> None:
    given = library((0, 300), (310, 20))

    kept = loaded_part(given)

    assert len(kept) == 330
    assert kept[64:] == given[64:330]
    assert struct.unpack_from("<Q", kept, 40) == (0,)
    assert struct.unpack_from("<HHHHH", kept, 54) == (ENTRY_BYTES, 2, 64, 0, 0)


def test_a_table_of_segments_behind_them_is_kept() -> None:
    given = library((0, 200), table=300)

    assert loaded_part(given)[64:] == given[64 : 300 + ENTRY_BYTES]


@pytest.mark.parametrize(
    "content",
    [b"", b"import os\n", b"\x7fELF", b"\x7fELF\x01\x01" + bytes(90), b"\x7fELF\x02\x02" + bytes(90)],
)
def test_what_is_no_library_of_this_kind_stays_as_it_is(content: bytes) -> None:
    assert loaded_part(content) == content


# Kinds of entries: the end, another library's name, the address of all names, and any other.
END, NEEDED, NAMES, OTHER = 0, 1, 5, 12
ADDRESS = 0x1000


def linked(*entries: tuple[int, int]) -> bytes:
    """A library that is loaded at another address than its place, with names at 300."""
    content = bytearray(library((0, 400), (200, 16 * len(entries))))
    names = b"libone.so\0libtwo.so\0libtwo.so.1\0"
    content[300 : 300 + len(names)] = names
    for number, (kind, address) in enumerate([(1, ADDRESS), (2, ADDRESS + 200)]):
        place = HEADER_BYTES + number * ENTRY_BYTES
        struct.pack_into("<I", content, place, kind)
        struct.pack_into("<Q", content, place + 16, address)
    for number, entry in enumerate(entries):
        struct.pack_into("<QQ", content, 200 + 16 * number, *entry)
    return bytes(content)


def test_a_library_no_longer_asks_for_those_that_are_left_out() -> None:
    names = (NAMES, ADDRESS + 300)
    given = linked((NEEDED, 0), (NEEDED, 10), (OTHER, 7), (NEEDED, 20), names, (END, 0))

    kept = without(given, {"libtwo.so", "libthree.so"})

    assert kept == linked((NEEDED, 0), (OTHER, 7), (NEEDED, 20), names, (END, 0), (END, 0))


@pytest.mark.parametrize("content", [b"", b"import os\n", library((0, 300))])
def test_what_asks_for_no_library_stays_as_it_is(content: bytes) -> None:
    assert without(content, {"libtwo.so"}) == content


@pytest.mark.skipif(sys.platform != "linux", reason="ELF is Linux's")
def test_a_library_loads_and_works_without_it(tmp_path: Path) -> None:
    (package,) = fastcrc.__path__
    for path in Path(package).iterdir():
        if path.is_file():
            (tmp_path / "fastcrc").mkdir(exist_ok=True)
            (tmp_path / "fastcrc" / path.name).write_bytes(loaded_part(path.read_bytes()))
    code = "import fastcrc; print(fastcrc.__file__, fastcrc.crc64.xz(b'123456789'))"

    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {code}"],
        check=True,
        capture_output=True,
        text=True,
    )

    assert done.stdout.split() == [str(tmp_path / "fastcrc" / "__init__.py"), str(0x995DC9BBDF1939FA)]
