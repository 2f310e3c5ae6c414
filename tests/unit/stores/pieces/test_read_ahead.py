from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from shared.stores.pieces.read_ahead import CALLS_AHEAD, CHUNKS_A_CALL, read_ahead


def reading_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("read-ahead")]


def reader_of(chunks: Iterator[bytes]) -> Callable[[], bytes]:
    return lambda: next(chunks, b"")


@pytest.mark.parametrize("count", [0, 1, CHUNKS_A_CALL, CHUNKS_A_CALL + 1, 50])
def test_every_chunk_comes_once_and_in_order(count: int) -> None:
    chunks = [bytes([number + 1]) for number in range(count)]

    assert list(read_ahead(reader_of(iter(chunks)))) == chunks
    assert reading_threads() == []


def test_what_was_read_before_an_error_comes_before_the_error() -> None:
    chunks = [b"x"] * (CHUNKS_A_CALL * 3 + 2)

    def broken() -> Iterator[bytes]:
        yield from chunks
        raise ConnectionError("cut")

    seen = []
    with pytest.raises(ConnectionError):
        for chunk in read_ahead(reader_of(broken())):
            seen.append(chunk)  # noqa: PERF402 (what came before the error counts)

    assert seen == chunks
    assert reading_threads() == []


def test_no_more_is_read_ahead_than_memory_is_meant_for_and_closing_ends_the_thread() -> None:
    calls: list[None] = []

    def read() -> bytes:
        calls.append(None)
        return b"x"

    chunks = read_ahead(read)
    for _ in range(CHUNKS_A_CALL):
        next(chunks)
    chunks.close()  # type: ignore[attr-defined]  # a generator

    assert len(calls) <= (CALLS_AHEAD + 1) * CHUNKS_A_CALL
    assert reading_threads() == []
