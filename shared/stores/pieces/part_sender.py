"""Sends the parts of one upload in a thread while the next part is made."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

# One is being sent and the next one waits, so that the line is never idle.
MAX_WAITING = 2


class PartSender:
    """Calls ``send`` for each part in the order of ``put``, at most ``MAX_WAITING`` parts behind.

    What ``send`` raises is raised by the next ``put`` or ``finish`` and by every call after it, so
    that a missing part cannot be overlooked. The thread starts with the first part; it has ended
    when ``finish`` or ``abandon`` returns.
    """

    def __init__(self, send: Callable[[int, bytes], None]) -> None:
        self._send = send
        self._thread: ThreadPoolExecutor | None = None
        self._waiting: deque[Future[None]] = deque()
        self._error: BaseException | None = None

    def put(self, number: int, part: bytes) -> None:
        self._raise_again()
        if self._thread is None:
            from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - most functions send no parts

            self._thread = ThreadPoolExecutor(1, thread_name_prefix="part-sender")
        while len(self._waiting) >= MAX_WAITING:
            self._take()
        self._waiting.append(self._thread.submit(self._send, number, part))

    def finish(self) -> None:
        """Wait until every part has been sent."""
        self._raise_again()
        while self._waiting:
            self._take()
        self.abandon()

    def abandon(self) -> None:
        """Send nothing more and wait for the part on its way; may be called more than once."""
        if self._thread is not None:
            self._thread.shutdown(wait=True, cancel_futures=True)
            self._thread = None
        self._waiting.clear()

    def _take(self) -> None:
        self._error = self._waiting.popleft().exception()
        if self._error is not None:
            self.abandon()
            self._raise_again()

    def _raise_again(self) -> None:
        if self._error is not None:
            raise self._error
