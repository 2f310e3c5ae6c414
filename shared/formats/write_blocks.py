"""Gathers lines into blocks, because writing each line takes longer than making it."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import IO

_BLOCK_BYTES = 256 * 1024  # larger ones gain nothing


class Blocks:
    """Writes what is added, in its order, in blocks of about ``_BLOCK_BYTES``.

    Attributes:
        size_bytes: Of everything that was added, written or not.
    """

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self.size_bytes = 0

    def add(self, line: bytes) -> None:
        size_bytes = len(line)
        self.size_bytes += size_bytes
        if size_bytes >= _BLOCK_BYTES:  # joining would hold it twice
            self.flush()
            self._write(line)
            return
        self._waiting.append(line)
        self._waiting_bytes += size_bytes
        if self._waiting_bytes >= _BLOCK_BYTES:
            self.flush()

    def flush(self) -> None:
        if self._waiting:
            self._write(b"".join(self._waiting))
            self.clear()

    def clear(self) -> None:
        """Forget what is not written yet."""
        self._waiting.clear()
        self._waiting_bytes = 0


class TextsInFile:
    """Keeps texts in a file without a buffer, and gives each back by where it stands."""

    def __init__(self, file: IO[bytes]) -> None:
        self._blocks = Blocks(self._write)
        self._file = file

    def add(self, content: bytes) -> tuple[int, int]:
        """Its start and its length."""
        start = self._blocks.size_bytes
        self._blocks.add(content)
        return start, len(content)

    def read(self, start: int, length: int) -> bytes:
        self._blocks.flush()
        self._file.seek(start)
        return self._file.read(length)

    def _write(self, block: bytes) -> None:
        self._file.seek(0, io.SEEK_END)  # reading moves the place too
        content = memoryview(block)
        while content:  # without a buffer a write may take less than it is given
            content = content[self._file.write(content) :]
