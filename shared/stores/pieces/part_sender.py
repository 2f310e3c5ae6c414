"""Sends the parts of one upload in threads while the next part is made."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

# For each that is being sent the next one waits, so that no line is ever idle.
WAITING_PER_LINE = 2


class PartSender:
    """Calls ``send`` for each part in the order of ``put``, ``WAITING_PER_LINE`` behind on a line.

    What ``send`` raises is raised by a later ``put`` or by ``finish``, and by every call after it,
    so that a missing part cannot be overlooked. Threads start with the first part; they have ended
    when ``finish`` or ``abandon`` returns.

    Attributes:
        lines: How many parts are on their way at once.
    """

    def __init__(self, send: Callable[..., None], lines: int = 1) -> None:
        self._send = send
        self._lines = lines
        self._threads: ThreadPoolExecutor | None = None
        self._waiting: deque[Future[None]] = deque()
        self._error: BaseException | None = None

    def put(self, number: int, *part: object) -> None:
        self._raise_again()
        if self._threads is None:
            from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - most functions send no parts

            self._threads = ThreadPoolExecutor(self._lines, thread_name_prefix="part-sender")
        while len(self._waiting) >= WAITING_PER_LINE * self._lines:
            self._take()
        self._waiting.append(self._threads.submit(self._send, number, *part))

    def finish(self) -> None:
        """Wait until every part has been sent."""
        self._raise_again()
        while self._waiting:
            self._take()
        self.abandon()

    def abandon(self) -> None:
        """Send nothing more and wait for what is on its way; may be called more than once."""
        if self._threads is not None:
            self._threads.shutdown(wait=True, cancel_futures=True)
            self._threads = None
        self._waiting.clear()

    def _take(self) -> None:
        self._error = self._waiting.popleft().exception()
        if self._error is not None:
            self.abandon()
            self._raise_again()

    def _raise_again(self) -> None:
        if self._error is not None:
            raise self._error
