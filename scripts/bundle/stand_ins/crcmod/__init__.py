"""Stands in for crcmod: the one checksum that oss2 takes from it, at memory speed.

crcmod has no wheels, so a build could only ship its Python fallback with 12 MB/s. Our adapter turns
oss2's check off and does its own; with this, an ``oss2.Bucket`` with the check on is fast too.
"""

from __future__ import annotations

from fastcrc import crc64

# CRC-64/XZ as crcmod is told of it by oss2.utils.Crc64.
_POLYNOMIAL = 0x142F0E1EBA9EA3693
_ALL_ONES = 0xFFFF_FFFF_FFFF_FFFF


class Crc:
    """``crcmod.Crc`` for OSS's CRC64; its parameters' names are part of what oss2 calls."""

    def __init__(self, poly: int, initCrc: int = _ALL_ONES, rev: bool = True, xorOut: int = 0) -> None:  # noqa: N803
        if (poly, rev, xorOut) != (_POLYNOMIAL, True, _ALL_ONES):
            raise NotImplementedError("only OSS's CRC64 is part of this function's zip")
        self.crcValue = initCrc

    def update(self, data: bytes) -> None:
        self.crcValue = crc64.xz(bytes(data), self.crcValue)
