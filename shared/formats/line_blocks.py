r"""Takes a stream of bytes line by line or in blocks of whole lines; splits only at ``\n``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from shared.formats.heads import without_bom

BLOCK_BYTES = 512 * 1024
# Pieces of this size, and all that is made of them, stay in the processor's cache.
_PIECE_BYTES = 64 * 1024
_LEAST_BLOCK_BYTES = _PIECE_BYTES // 2


class LineSource:
    """The lines of a stream, without a UTF-8 BOM in front of the first.

    Holds at most one line, or a block and the chunk from which it was taken.
    """

    def __init__(self, chunks: Iterable[bytes], max_line_bytes: int) -> None:
        self._chunks = _pieces(without_bom(chunks))
        self._max_line_bytes = max_line_bytes
        self._buffer = b""
        self._at = 0

    def take_block(self) -> bytes | None:
        r"""Whole lines with their ``\n`` (the stream's last may lack it), ``b""`` at the end.

        ``None`` means that the next line is longer than a block: take it alone.
        """
        while True:
            held_bytes = len(self._buffer) - self._at
            if held_bytes >= _LEAST_BLOCK_BYTES:
                end = self._buffer.rfind(b"\n", self._at) + 1
                if end or held_bytes > BLOCK_BYTES:
                    return self._take_until(end) if end else None
            chunk = next(self._chunks, None)
            if chunk is None:
                return self._take_until(len(self._buffer))
            self._buffer = self._buffer[self._at :] + chunk
            self._at = 0

    def peek(self, size_bytes: int) -> bytes:
        """What comes next, as whole lines; if there are so many bytes, at least this many.

        If not even one line ends there, it is only its beginning.
        """
        while len(self._buffer) - self._at < size_bytes:
            chunk = next(self._chunks, None)
            if chunk is None:
                return self._buffer[self._at :]
            self._buffer = self._buffer[self._at :] + chunk
            self._at = 0
        held = self._buffer[self._at :]
        return held[: held.rfind(b"\n") + 1] or held

    def give_back(self, taken: bytes) -> None:
        self._buffer = taken + self._buffer[self._at :]
        self._at = 0

    def take_line(self) -> tuple[bytes | None, int] | None:
        r"""The next line without its ``\n``, and its size in bytes; ``None`` at the end.

        A line longer than ``max_line_bytes`` is counted but not held: ``None`` stands for it.
        """
        end = self._buffer.find(b"\n", self._at)
        if end >= 0:
            line = self._buffer[self._at : end]
            self._at = end + 1
            return (line if len(line) <= self._max_line_bytes else None), len(line)
        return self._take_long_line()

    def _take_long_line(self) -> tuple[bytes | None, int] | None:
        pieces = [self._buffer[self._at :]]
        size_bytes = len(pieces[0])
        self._buffer, self._at = b"", 0
        for chunk in self._chunks:
            end = chunk.find(b"\n")
            pieces.append(chunk if end < 0 else chunk[:end])
            size_bytes += len(pieces[-1])
            if size_bytes > self._max_line_bytes:
                pieces.clear()
            if end >= 0:
                self._buffer, self._at = chunk, end + 1
                return (b"".join(pieces) if size_bytes <= self._max_line_bytes else None), size_bytes
        if not size_bytes:
            return None
        return (b"".join(pieces) if size_bytes <= self._max_line_bytes else None), size_bytes

    def _take_until(self, end: int) -> bytes:
        block = self._buffer[self._at : end]
        self._at = end
        return block


def _pieces(chunks: Iterable[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        yield from (chunk[start : start + _PIECE_BYTES] for start in range(0, len(chunk), _PIECE_BYTES))
