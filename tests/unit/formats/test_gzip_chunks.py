from __future__ import annotations

import gzip
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.formats.gzip_chunks import unpack_gzip
from shared.problems.exceptions import UserInputError
from tests.support.reading import assert_told, in_chunks

PACKED = gzip.compress(b"id,text\n" * 100, mtime=0)  # parametrized: each worker must see the same bytes


@given(
    parts=st.lists(st.binary(max_size=300), min_size=1, max_size=4),
    chunk_bytes=st.integers(1, 100),
    padding=st.integers(0, 30),
)
def test_all_members_are_unpacked_wherever_the_chunks_end(
    parts: list[bytes], chunk_bytes: int, padding: int
) -> None:
    packed = b"".join(gzip.compress(part) for part in parts) + bytes(padding)

    assert b"".join(unpack_gzip(in_chunks(packed, chunk_bytes), nothing_ignored)) == b"".join(parts)


@pytest.mark.parametrize("cut", range(len(PACKED)))
def test_a_file_that_is_cut_off_anywhere_is_refused(cut: int) -> None:
    assert refusal_of([gzip.compress(b"whole"), PACKED[:cut]] if cut else []) == "damaged_gzip"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"id,text\n1,hello\n",
        PACKED + b"more" + PACKED,
        PACKED[:-8] + b"\0\0\0\0" + PACKED[-4:],
        PACKED[:-4] + b"\0\0\0\1",
        PACKED[:14] + b"\xff\xff" + PACKED[16:],
    ],
    ids=["empty", "no gzip", "rubbish between", "wrong checksum", "wrong size", "wrong block"],
)
def test_damage_is_told_and_never_read_over(content: bytes) -> None:
    assert refusal_of([content]) == "damaged_gzip"


@pytest.mark.parametrize(
    "behind",
    [
        b"more",
        b"\n",
        b"\r\n",
        b"\0" * 600 + b"x",
        b"\x1a",
        b"PK\x03\x04 of another kind",
        b"\x1f\x8c\x08",
        bytes(range(1, 256)),
    ],
)
@pytest.mark.parametrize("chunk_bytes", [1, 7, 10_000])
def test_bytes_behind_the_end_are_ignored_and_counted(behind: bytes, chunk_bytes: int) -> None:
    counted: list[int] = []

    content = b"".join(unpack_gzip(in_chunks(PACKED + behind, chunk_bytes), counted.append))

    assert content == b"id,text\n" * 100
    assert counted == [len(behind.lstrip(b"\0"))]


@pytest.mark.parametrize("chunk_bytes", [1, 7, 10_000])
def test_a_member_behind_such_bytes_is_not_lost(chunk_bytes: int) -> None:
    assert refusal_of([*in_chunks(PACKED + b"more" + PACKED, chunk_bytes)]) == "damaged_gzip"


def test_what_unpacks_to_far_more_comes_in_small_pieces() -> None:
    packed = gzip.compress(bytes(50_000_000))

    sizes = [len(piece) for piece in unpack_gzip([packed], nothing_ignored)]

    assert sum(sizes) == 50_000_000
    assert max(sizes) <= 256 * 1024
    assert min(sizes) > 0  # an empty piece could be taken for the end


def test_nothing_is_read_ahead() -> None:
    read = []

    def chunks() -> Iterator[bytes]:
        for chunk in in_chunks(gzip.compress(bytes(5_000_000)), 1000):
            read.append(chunk)
            yield chunk

    next(unpack_gzip(chunks(), nothing_ignored))

    assert len(read) < 4


def nothing_ignored(ignored_bytes: int) -> None:
    raise AssertionError(ignored_bytes)


def refusal_of(chunks: list[bytes]) -> str:
    with pytest.raises(UserInputError) as refusal:
        list(unpack_gzip(chunks, nothing_ignored))
    assert_told(refusal.value.problems)
    return refusal.value.problems[0].code
