"""The port of the bucket, which the stores implement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Protocol


@dataclass(frozen=True)
class ObjectHead:
    """What the store knows of an object without reading it; ``etag`` is upper case, unquoted.

    ``crc64`` is the checksum that OSS and TOS call CRC64-ECMA, where ``head`` tells it.
    """

    key: str
    size_bytes: int
    etag: str
    modified_at: datetime
    crc64: int | None = None


class ObjectWriter(Protocol):
    """Writes one object, which appears whole at ``commit`` or not at all.

    Used as a context manager: leaving it without ``commit`` discards what was written.
    """

    @property
    def size_bytes(self) -> int:
        """How much was written so far."""

    def write(self, chunk: bytes) -> None: ...

    def commit(self) -> bool:
        """Publish the object; false if ``if_absent`` was set and the key is taken."""

    def __enter__(self) -> ObjectWriter: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class ObjectStore(Protocol):
    """One bucket.

    Every method may raise ``TransientError`` or ``ConfigurationError`` (no access, no bucket).
    """

    def put(self, key: str, content: bytes) -> None:
        """Write or overwrite a small object."""

    def put_if_absent(self, key: str, content: bytes) -> bool:
        """Write a small object unless the key is taken; true if it was written.

        After a time-out it may have been written: a caller that must know compares contents.
        """

    def open_writer(self, key: str, *, if_absent: bool = False) -> ObjectWriter:
        """Write an object of any size in constant memory."""

    def get(self, key: str) -> bytes:
        """Read a small object whole.

        Raises:
            ObjectMissing: There is none.
        """

    def read(self, key: str, *, etag: str | None = None) -> Iterator[bytes]:
        """Stream an object of any size in chunks, its checksum verified at the end.

        Raises:
            ObjectMissing: There is none, or with ``etag`` it is no longer that version.
        """

    def head(self, key: str) -> ObjectHead | None:
        """Size, ETag and time of an object, or ``None``."""

    def list(self, prefix: str, *, after: str = "") -> Iterator[ObjectHead]:
        """Every object whose key starts with ``prefix`` and comes behind the key ``after``.

        They come in the order of the keys' UTF-8 bytes.
        """

    def delete(self, key: str) -> None:
        """Remove an object; no error if there is none."""

    def concatenate(self, key: str, sources: Sequence[str]) -> None:
        """Write one object from others, in order, without holding them in memory.

        Raises:
            ObjectMissing: One of the sources is not there.
        """
