from __future__ import annotations

from fastcrc import crc64
from hypothesis import given
from hypothesis import strategies as st

from scripts.localcloud.storage.content import combined_crc64


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_the_crc_of_joined_bytes_follows_from_those_of_the_pieces(first: bytes, second: bytes) -> None:
    combined = combined_crc64(crc64.xz(first), crc64.xz(second), len(second))

    assert combined == crc64.xz(first + second)


def test_the_crc_of_joined_bytes_is_right_for_whole_parts() -> None:
    pieces = [bytes([number]) * size for number, size in enumerate((4 << 20, 4 << 20, (4 << 20) + 12345, 1))]
    combined = 0
    for piece in pieces:
        combined = combined_crc64(combined, crc64.xz(piece), len(piece))

    assert combined == crc64.xz(b"".join(pieces))
