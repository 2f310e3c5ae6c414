"""What is written: its description, its MD5, CRC64 and size, and the temporary file it is in."""

from __future__ import annotations

import functools
import hashlib
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from fastcrc import crc64

PIECE_BYTES = 256 * 1024
# CRC-64/XZ, which OSS calls CRC64-ECMA: the polynomial of ECMA-182, reflected.
# https://reveng.sourceforge.io/crc-catalogue/17plus.htm#crc.cat.crc-64-xz
_POLYNOMIAL = 0xC96C5795D7870F42
_BITS = 64


def new_request_id() -> str:
    return secrets.token_hex(12).upper()


@dataclass(frozen=True)
class Write:
    """What a request says about an object; ``etag`` is the MD5 where it is ``None``.

    Attributes:
        headers: What is kept with the object: its metadata and its properties.
    """

    bucket: str
    key: str
    event_name: str
    request_id: str
    content_type: str = "application/octet-stream"
    headers: Mapping[str, str] = field(default_factory=dict)
    object_type: str = "Normal"
    etag: str | None = None
    forbid_overwrite: bool = False


class Digest:
    """The numbers that the service tells about bytes; without MD5 they cost far less time."""

    def __init__(self, *, with_md5: bool = True) -> None:
        self.size_bytes = 0
        self.crc64 = 0
        self._md5 = hashlib.md5(usedforsecurity=False) if with_md5 else None

    def add(self, piece: bytes) -> None:
        self.size_bytes += len(piece)
        self.crc64 = crc64.xz(piece, self.crc64)
        if self._md5:
            self._md5.update(piece)

    def add_digested(self, size_bytes: int, crc64_ecma: int) -> None:
        """Add bytes whose CRC64 is known; only where no MD5 is told."""
        self.size_bytes += size_bytes
        self.crc64 = combined_crc64(self.crc64, crc64_ecma, size_bytes)
        if self._md5:
            raise ValueError("the MD5 of these bytes is not known")

    def md5(self) -> bytes:
        if self._md5 is None:
            raise ValueError("these bytes were digested without an MD5")
        return self._md5.digest()

    def etag(self) -> str:
        return self.md5().hex().upper()


class NewContent:
    """A temporary file, gone when the ``with`` block ends unless it was moved into place."""

    def __init__(self, directory: Path, *, with_md5: bool = True) -> None:
        self.digest = Digest(with_md5=with_md5)
        self._file = directory / secrets.token_hex(12)
        self._stream: BinaryIO = self._file.open("xb")

    def fill(self, pieces: Iterable[bytes]) -> None:
        for piece in pieces:
            self._stream.write(piece)
            self.digest.add(piece)

    def append(self, file: Path, crc64_ecma: int) -> None:
        """Add a file whose CRC64 is known. If the system can copy, this process reads no byte."""
        with file.open("rb") as stream:
            size_bytes = os.fstat(stream.fileno()).st_size
            self._stream.flush()
            if not _copied_by_the_system(stream, self._stream, size_bytes):
                for piece in read_pieces(stream):
                    self._stream.write(piece)
        self.digest.add_digested(size_bytes, crc64_ecma)

    def move_to(self, place: Path) -> int:
        """Rename the file, which is atomic; returns its modification time in nanoseconds."""
        self._stream.close()
        mtime_ns = self._file.stat().st_mtime_ns
        self._file.replace(place)
        return mtime_ns

    def __enter__(self) -> NewContent:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()
        self._file.unlink(missing_ok=True)


def _copied_by_the_system(source: BinaryIO, target: BinaryIO, size_bytes: int) -> bool:
    """Whether Linux copied all. If it cannot (another system or file system), it copied nothing."""
    left = size_bytes
    try:
        while left:
            copied = os.copy_file_range(source.fileno(), target.fileno(), left)
            if not copied:
                raise EOFError("the file became shorter while it was copied")
            left -= copied
    except (AttributeError, OSError):
        if left == size_bytes:
            return False
        raise
    return True


def read_pieces(stream: BinaryIO, start: int = 0, size_bytes: int | None = None) -> Iterator[bytes]:
    """The bytes of an open file, or ``size_bytes`` of them from ``start``."""
    stream.seek(start)
    left = os.fstat(stream.fileno()).st_size - start if size_bytes is None else size_bytes
    while left > 0:
        piece = stream.read(min(left, PIECE_BYTES))
        if not piece:
            raise EOFError("the file became shorter while it was read")
        left -= len(piece)
        yield piece


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
