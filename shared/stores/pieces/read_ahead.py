"""Reads a body in a thread, a few megabytes ahead of its consumer."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from concurrent.futures import Future

# With four pieces of 256 KB each, at most 3 MB wait, and the hand-over costs next to nothing.
CALLS_AHEAD = 2
CHUNKS_A_CALL = 4


def read_ahead(read: Callable[[], bytes]) -> Iterator[bytes]:
    """Yield what ``read`` returns, up to the first empty answer.

    What ``read`` raises is raised here, after everything that came before it. The thread has ended
    when the iterator has: at its end, at an error, or when it is closed early, which waits for the
    call under way.
    """
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - most functions read small objects only

    def read_some(chunks: list[bytes]) -> None:
        while len(chunks) < CHUNKS_A_CALL and (chunk := read()):
            chunks.append(chunk)

    def start() -> tuple[list[bytes], Future[None]]:
        chunks: list[bytes] = []  # outside of the call, so that an error leaves what was read before it
        return chunks, thread.submit(read_some, chunks)

    thread = ThreadPoolExecutor(1, thread_name_prefix="read-ahead")
    try:
        waiting = deque(start() for _ in range(CALLS_AHEAD))
        while True:
            chunks, reading = waiting.popleft()
            error = reading.exception()
            if not error and not chunks:
                return
            if not error:
                waiting.append(start())
            yield from chunks
            if error:
                raise error
    finally:
        thread.shutdown(wait=True, cancel_futures=True)
