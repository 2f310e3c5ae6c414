"""Looks at the first bytes of a stream, which then still has them."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from itertools import chain

LOOKED_AT_BYTES = 64 * 1024

BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def peek(chunks: Iterable[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """The first 64 KiB or so of a stream, and the stream with them."""
    rest = iter(chunks)
    head = _taken(rest, LOOKED_AT_BYTES)
    return head, chain([head], rest)


def beginning(chunks: Iterable[bytes], most_bytes: int) -> bytes:
    """So much of a stream, of which no more is read than that takes."""
    return _taken(iter(chunks), most_bytes)[:most_bytes]


def without_bom(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes without a UTF-8 BOM in front, which may span several chunks."""
    rest = iter(chunks)
    yield _taken(rest, len(codecs.BOM_UTF8)).removeprefix(codecs.BOM_UTF8)
    yield from rest


def _taken(chunks: Iterator[bytes], least_bytes: int) -> bytes:
    head = b""
    for chunk in chunks:
        head += chunk
        if len(head) >= least_bytes:
            break
    return head
