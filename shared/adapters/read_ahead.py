"""Reads a body in a thread, a few megabytes ahead of whoever works on it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from concurrent.futures import Future

# With four pieces of 256 KB each: at most 3 MB wait, and the hand-over costs nothing beside the reading.
CALLS_AHEAD = 2
CHUNKS_A_CALL = 4


def read_ahead(read: Callable[[], bytes]) -> Iterator[bytes]:
    """Yield what ``read`` returns, up to the first empty answer.

    What ``read`` raises is raised here, after everything that came before it. The thread has ended when the iterator
    has: at its end, at an error, or when it is closed early, which waits for the call that is under way.
    """
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - most functions read small objects only

    def read_some() -> list[bytes]:
        chunks: list[bytes] = []
        while len(chunks) < CHUNKS_A_CALL and (chunk := read()):
            chunks.append(chunk)
        return chunks

    thread = ThreadPoolExecutor(1, thread_name_prefix="read-ahead")
    try:
        waiting: deque[Future[list[bytes]]] = deque(thread.submit(read_some) for _ in range(CALLS_AHEAD))
        while chunks := waiting.popleft().result():
            waiting.append(thread.submit(read_some))
            yield from chunks
    finally:
        thread.shutdown(wait=True, cancel_futures=True)
