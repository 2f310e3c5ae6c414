"""The CRC64 of joined bytes from the CRC64s of their pieces, without reading them again."""

from __future__ import annotations

import functools

# CRC-64/XZ, which OSS calls CRC64-ECMA: the polynomial of ECMA-182, reflected.
# https://reveng.sourceforge.io/crc-catalogue/17plus.htm#crc.cat.crc-64-xz
_POLYNOMIAL = 0xC96C5795D7870F42
_BITS = 64


def combined_crc64(first: int, second: int, second_bytes: int) -> int:
    """The CRC64 of two pieces; the second has ``second_bytes`` bytes.

    A CRC is linear: move the first piece's on by as many zero bytes as the second has, a product of
    matrices over GF(2), and add the second's (the method of zlib's ``crc32_combine``).
    """
    power = 0
    while second_bytes:
        if second_bytes & 1:
            first = _times(_moved_by(power), first)
        second_bytes >>= 1
        power += 1
    return first ^ second


@functools.cache
def _moved_by(power: int) -> tuple[int, ...]:
    """The matrix that moves a CRC on by ``2 ** power`` zero bytes, column by column."""
    if power:
        half = _moved_by(power - 1)
        return tuple(_times(half, column) for column in half)
    matrix = (_POLYNOMIAL, *(1 << bit for bit in range(_BITS - 1)))
    for _ in range(3):  # one bit, two, four, and with them the eight of a byte
        matrix = tuple(_times(matrix, column) for column in matrix)
    return matrix


def _times(matrix: tuple[int, ...], vector: int) -> int:
    total = 0
    for column in matrix:
        if not vector:
            break
        if vector & 1:
            total ^= column
        vector >>= 1
    return total
