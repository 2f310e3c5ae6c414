r"""Lines of objects that we or a provider wrote: split at ``\n`` only, never held together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator


def byte_lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    r"""Yield every line that is not blank, without its ``\n``; it may span any number of chunks.

    ``splitlines`` would also split at U+2028 and lose rows.
    """
    pieces: list[bytes] = []
    for chunk in chunks:
        lines = chunk.split(b"\n")
        if len(lines) > 1:
            # Only the first line began in an earlier chunk, only the last goes on in a later one.
            lines[0] = b"".join((*pieces, lines[0]))
            pieces = []
            last = lines.pop()
            for line in lines:
                if line not in _BLANK:
                    yield line
            pieces.append(last)
        else:
            pieces.append(chunk)
    line = b"".join(pieces)
    if line not in _BLANK:
        yield line


_BLANK = frozenset((b"", b"\r"))
