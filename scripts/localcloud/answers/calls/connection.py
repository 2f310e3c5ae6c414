"""One connection to an upstream, which has one call at a time."""

from __future__ import annotations

import asyncio
import select
from collections.abc import Callable
from http.client import HTTPException
from typing import cast

from scripts.localcloud.answers.calls.http_reply import HttpReply

Ended = Callable[["Connection", "HttpReply | Exception"], None]


class Connection(asyncio.Protocol):
    """It belongs to its loop's thread.

    Args:
        timeout_s: How long the line may be silent during a call.
        ended: Told of each call's end, once.
    """

    def __init__(self, timeout_s: float, ended: Ended) -> None:
        self._timeout_s = timeout_s
        self._ended = ended
        self._loop = asyncio.get_running_loop()
        self._reply: HttpReply | None = None
        self._heard_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._readable = select.poll()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._readable.register(transport.get_extra_info("socket"), select.POLLIN)

    @property
    def is_usable(self) -> bool:
        """Before a call: what can be read before anything was asked is the connection's end."""
        return not (self._transport.is_closing() or self._readable.poll(0))

    def send(self, request: bytes) -> None:
        self._reply = HttpReply()
        self._heard_at = self._loop.time()
        if self._timer is None:
            self._timer = self._loop.call_at(self._heard_at + self._timeout_s, self._look)
        self._transport.write(request)

    def close(self) -> None:
        """At once; a call that is under way ends with an error."""
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._heard_at = self._loop.time()
        if self._reply is None:  # of nobody's asking
            self.close()
            return
        try:
            if self._reply.feed(data):
                self._end(self._reply)
        except HTTPException as error:
            self._end(error)

    def connection_lost(self, error: Exception | None) -> None:
        if self._timer:
            self._timer.cancel()
        if self._reply is None:
            return
        try:
            if not error:
                self._reply.end()
        except HTTPException as missing:
            error = missing
        self._end(error or self._reply)

    def _end(self, said: HttpReply | Exception) -> None:
        self._reply = None
        if isinstance(said, Exception) or not said.keeps_open:
            self.close()
        self._ended(self, said)

    def _look(self) -> None:
        """One timer for all calls: to set one for each would cost more than to ask."""
        self._timer = None
        if self._reply is None:
            return
        due_at = self._heard_at + self._timeout_s
        if self._loop.time() < due_at:
            self._timer = self._loop.call_at(due_at, self._look)
        else:
            self._end(TimeoutError())
