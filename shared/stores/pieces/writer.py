"""Writes one object of any size in constant memory: a single put, or a multipart upload."""

from __future__ import annotations

import contextlib
import io
from types import TracebackType
from typing import Protocol

from shared.ports.store import ObjectHead
from shared.problems.exceptions import PipelineError
from shared.stores.pieces.part_sender import PartSender

# The store does the work of a copy, and a result may have thousands of them.
COPIES_AT_ONCE = 8


class Upload(Protocol):
    """One multipart upload, which has begun. Parts are numbered from 1."""

    def send(self, number: int, part: bytes) -> None:
        """Called by another thread, one part at a time."""

    def copy(self, number: int, source: ObjectHead, first: int, last: int) -> None:
        """Make a range of another object a part; ``last`` is inclusive. Called by several threads.

        Raises:
            ObjectMissing: The source is gone or is no longer this version.
        """

    def complete(self) -> bool:
        """Publish the object; false if it must not be overwritten and the key is taken."""

    def abort(self) -> None:
        """Discard the parts."""


class Target(Protocol):
    """The key that is to be written, in its store."""

    def put(self, content: bytes) -> bool:
        """Write the object by one call; false as ``complete``."""

    def begin(self) -> Upload: ...


class PieceWriter:
    """``ObjectWriter`` that sends parts in the background; nothing is visible before ``commit``.

    It holds the part being filled and at most two on their way. If one could not be sent or copied,
    a later ``write``, ``copy_part`` or ``commit`` raises. ``commit`` and leaving the ``with`` block
    end the threads.
    """

    def __init__(self, target: Target, part_bytes: int) -> None:
        self._target = target
        self._part_bytes = part_bytes
        self._filling = io.BytesIO()
        self._upload: Upload | None = None
        self._count = 0
        self._sending = PartSender(lambda number, part: self._begun().send(number, part))
        self._copying = PartSender(lambda number, *part: self._begun().copy(number, *part), COPIES_AT_ONCE)
        self.size_bytes = 0

    def write(self, chunk: bytes) -> None:
        self.size_bytes += len(chunk)
        self._filling.write(chunk)
        if self._filling.tell() >= self._part_bytes:
            self._flush()

    def _flush(self) -> None:
        # ``getvalue`` hands over the buffer itself; nothing is copied if nobody writes to it again.
        part, self._filling = self._filling.getvalue(), io.BytesIO()
        if part:
            self._begun()
            self._count += 1
            self._sending.put(self._count, part)

    def copy_part(self, source: ObjectHead, first: int, last: int) -> None:
        """Append a range of another object as a part of its own, without reading it.

        What was written and not sent yet becomes a part, too: nothing, or at least the smallest
        part that the store takes.

        Raises:
            ObjectMissing: This source, or one before it, is gone or is no longer this version. What
                is noticed later, ``commit`` raises.
        """
        self._flush()
        self._begun()
        self._count += 1
        self._copying.put(self._count, source, first, last)
        self.size_bytes += last - first + 1

    def commit(self) -> bool:
        if self._upload is None:
            return self._target.put(self._filling.getvalue())
        self._flush()
        self._sending.finish()
        self._copying.finish()
        was_published = self._upload.complete()
        if was_published:
            self._upload = None
        return was_published

    def __enter__(self) -> PieceWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._sending.abandon()
        self._copying.abandon()
        self._filling = io.BytesIO()
        if self._upload:
            # If aborting fails, the bucket's lifecycle rule does it; the caller's error counts.
            with contextlib.suppress(PipelineError):
                self._upload.abort()

    def _begun(self) -> Upload:
        if self._upload is None:
            self._upload = self._target.begin()
        return self._upload
