"""An object that is being written, as the file that a library writes to."""

from __future__ import annotations

import io
from typing import Protocol


class Sink(Protocol):
    """Whatever takes bytes, as an ``ObjectWriter`` does."""

    def write(self, chunk: bytes) -> None: ...


class ObjectFile(io.RawIOBase):
    """Closing it does not publish the object."""

    def __init__(self, writer: Sink) -> None:
        self._writer = writer

    def writable(self) -> bool:
        return True

    def write(self, content: object) -> int:
        chunk = bytes(memoryview(content))  # type: ignore[arg-type]  # any buffer, as RawIOBase has it
        self._writer.write(chunk)
        return len(chunk)
