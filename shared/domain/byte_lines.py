r"""Lines of objects that we or a provider wrote: split at ``\n`` only, never held together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator


def byte_lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    r"""Yield every line that is not blank, without its ``\n``; it may span any number of chunks.

    ``splitlines`` would also split at U+2028 and lose rows.
    """
    pieces: list[bytes] = []
    for chunk in chunks:
        first, *others = chunk.split(b"\n")
        pieces.append(first)
        for other in others:
            line = b"".join(pieces)
            pieces = [other]
            if line not in _BLANK:
                yield line
    line = b"".join(pieces)
    if line not in _BLANK:
        yield line


_BLANK = (b"", b"\r")
