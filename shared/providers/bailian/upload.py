"""Request lines as the seekable file that a streamed upload of known length needs."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from shared.ports.provider import BatchRequest
from shared.problems.exceptions import TransientError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_BUFFER_BYTES = 64 * 1024


def open_upload(request: BatchRequest) -> io.BufferedReader:
    """The request lines as a file that is read from its start, in constant memory."""
    return io.BufferedReader(_RequestLines(request), _BUFFER_BYTES)


class _RequestLines(io.RawIOBase):
    """``request.open_lines()`` as a file of ``request.size_bytes`` bytes.

    httpx2 has no file number to ask for the length, so it seeks to the end and back, and rewinds
    before it reads. With the length it sends Content-Length. So seeking only moves a number, and
    the first read after it opens the lines.
    """

    def __init__(self, request: BatchRequest) -> None:
        super().__init__()
        self._request = request
        self._position = 0
        self._chunks: Iterator[bytes] | None = None
        self._chunks_position = 0
        self._rest = b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        starts = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._request.size_bytes}
        self._position = starts[whence] + offset
        return self._position

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer).cast("B")
        chunks = self._chunks_at_position()
        if not self._rest:
            self._rest = next((chunk for chunk in chunks if chunk), b"")
        piece, self._rest = self._rest[: len(view)], self._rest[len(view) :]
        view[: len(piece)] = piece
        self._position += len(piece)
        self._chunks_position = self._position
        self._check_length(is_end=not piece)
        return len(piece)

    def _check_length(self, *, is_end: bool) -> None:
        """Stop before a wrong Content-Length does: nobody catches what h11 would raise."""
        promised = self._request.size_bytes
        if self._position > promised or (is_end and self._position < promised):
            raise TransientError(
                f"{self._request.object_key} was read with another length than {promised} bytes"
            )

    def _chunks_at_position(self) -> Iterator[bytes]:
        if self._chunks is None or self._position != self._chunks_position:
            if self._position:
                raise io.UnsupportedOperation("The upload can only be read from its start")
            self._chunks, self._chunks_position, self._rest = self._request.open_lines(), 0, b""
        return self._chunks
