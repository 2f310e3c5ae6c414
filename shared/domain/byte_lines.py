r"""Lines of objects that we or a provider wrote: split at ``\n`` only, never held together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from io import BytesIO

_LINE_FEED = ord("\n")
_BLANK = frozenset((b"", b"\r"))


def byte_lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    r"""Yield every line that is not blank, without its ``\n``; it may span any number of chunks.

    ``splitlines`` would also split at U+2028 and lose rows; ``BytesIO`` cuts at the line feed alone.
    """
    pieces: list[bytes] = []
    for chunk in chunks:
        for piece in BytesIO(chunk):
            if piece[-1] != _LINE_FEED:
                pieces.append(piece)
                continue
            line = piece[:-1]
            if pieces:
                line = b"".join((*pieces, line))
                pieces.clear()
            if line not in _BLANK:
                yield line
    line = b"".join(pieces)
    if line not in _BLANK:
        yield line
