"""Compares what a store tells of bytes with the bytes; SDKs do it in Python, at 12 MB/s."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from fastcrc import crc64

from shared.problems.exceptions import TransientError
from shared.stores.pieces.read_ahead import read_ahead

CHUNK_BYTES = 256 * 1024
# A smaller object arrives before a thread has started.
MIN_BYTES_AHEAD = 1024 * 1024


class CheckedBody:
    """An answer's body in chunks, with its CRC64; no SDK checks what is read in pieces.

    Args:
        read: At most so many bytes; nothing at the end.
        size_bytes: As the store told it, if it did.
    """

    def __init__(self, read: Callable[[int], bytes], size_bytes: int | None) -> None:
        self._from = read
        self._size_bytes = size_bytes or 0
        self.checksum = 0

    def chunks(self) -> Iterator[bytes]:
        if self._size_bytes > MIN_BYTES_AHEAD:
            return read_ahead(self._read)
        return iter(self._read, b"")

    def _read(self) -> bytes:
        # Reading below the SDKs, from urllib3 or the socket, is no faster.
        chunk = self._from(CHUNK_BYTES)
        self.checksum = crc64.xz(chunk, self.checksum)
        return chunk


def check_sent(told: int | None, content: bytes, key: str) -> None:
    """``check_crc`` for bytes that were sent."""
    check_crc(told, crc64.xz(content), key)


def check_crc(told: int | None, computed: int, key: str) -> None:
    """Compare a store's CRC64 with ours, if it sends one; for a few old objects it does not.

    Raises:
        TransientError: The bytes changed on their way.
    """
    if told is not None and told != computed:
        raise TransientError(
            f"{key}: the CRC64 differs, so bytes were changed on their way to or from the store"
        )
