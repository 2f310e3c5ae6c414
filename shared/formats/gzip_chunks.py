"""Unpacks gzip as a stream in constant memory; damage is the uploader's problem."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from shared.problems.exceptions import UserInputError
from shared.problems.problem import Problem

# What one call may unpack. DEFLATE packs up to a thousand to one: one chunk could fill the memory.
_PIECE_BYTES = 256 * 1024
_GZIP_HEADER = 31  # zlib's window bits that mean: with gzip's header and checksum
_MAGIC = b"\x1f\x8b\x08"


def unpack_gzip(chunks: Iterable[bytes], ignore: Callable[[int], None]) -> Iterator[bytes]:
    """Yield the contents of all members in pieces of at most 256 KiB; verify each checksum.

    Args:
        chunks: The packed file.
        ignore: Told at the end how many bytes behind the last member are no gzip, if there are any.

    Raises:
        UserInputError: Not gzip, damaged or cut off. Discard what was yielded before.
    """
    from isal import isal_zlib  # noqa: PLC0415  # only such files need it

    unpacker = _Unpacker()
    try:
        for chunk in chunks:
            yield from unpacker.feed(chunk)
        yield from unpacker.drain()
    except isal_zlib.IsalError as error:  # type: ignore[misc]  # its stub calls the class an instance
        raise _damaged(str(error)) from error
    if not unpacker.is_complete or unpacker.held:
        raise _damaged("unexpected end of file")
    if unpacker.ignored_bytes:
        ignore(unpacker.ignored_bytes)


def _damaged(reason: str) -> UserInputError:
    return UserInputError([Problem("damaged_gzip", values={"reason": reason})])


class _Unpacker:
    def __init__(self) -> None:
        self.ignored_bytes = 0
        self._ignored_end = b""
        self.held = b""
        self._begin_member()

    def _begin_member(self) -> None:
        from isal import isal_zlib  # noqa: PLC0415  # only such files need it

        self._member = isal_zlib.decompressobj(wbits=_GZIP_HEADER)
        self.is_complete = False

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        rest, self.held = self.held + chunk, b""
        while rest:
            if self.is_complete:
                # Zero bytes after a member are padding: https://www.gnu.org/software/gzip/manual/gzip.html#Tapes
                rest = rest if self.ignored_bytes else rest.lstrip(b"\0")
                if self.ignored_bytes or not rest.startswith(_MAGIC):
                    self._hold_or_ignore(rest)
                    return
                self._begin_member()
            if piece := self._piece(rest):
                yield piece
            rest = self._member.unused_data if self.is_complete else self._member.unconsumed_tail

    def _hold_or_ignore(self, rest: bytes) -> None:
        """Hold what may begin a member. Ignore what does not, as ``gzip -d`` does, unless one
        follows: its rows would be lost.
        """
        if not self.ignored_bytes and _MAGIC.startswith(rest):
            self.held = rest
            return
        self.ignored_bytes += len(rest)
        seen = self._ignored_end + rest
        if _MAGIC in seen:
            raise _damaged("unreadable bytes between two members")
        self._ignored_end = seen[-len(_MAGIC) + 1 :]

    def drain(self) -> Iterator[bytes]:
        """What the decompressor took in but had no room to give out."""
        while not self.is_complete:
            piece = self._piece(b"")
            if not piece:
                return
            yield piece

    def _piece(self, content: bytes) -> bytes:
        piece = self._member.decompress(content, _PIECE_BYTES)
        self.is_complete = self._member.eof
        return piece
