"""Bytes on their way to the disk: MD5, CRC64, size, and the temporary file that holds them."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from fastcrc import crc64

from scripts.localcloud.oss.storage.crc import combined_crc64

PIECE_BYTES = 256 * 1024


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
