r"""Lines of objects that we or a provider wrote: split at ``\n`` only, never held together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator


def byte_lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield every non-empty line without its end; ``splitlines`` would also split at U+2028 and lose rows."""
    rest = b""
    for chunk in chunks:
        first, *others = chunk.split(b"\n")
        if not others:
            rest += first
            continue
        if rest or first:
            yield rest + first
        rest = others.pop()
        yield from filter(None, others)
    if rest:
        yield rest
