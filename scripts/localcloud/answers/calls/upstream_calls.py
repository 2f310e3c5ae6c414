"""One HTTP request for each row, so many at once, over connections that stay open."""

from __future__ import annotations

import asyncio
import re
import time
from collections import deque
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass
from functools import partial
from threading import Lock, Thread

import requests

from scripts.localcloud.answers.built_in_answers import Answer, Request
from scripts.localcloud.answers.caller_threads import CallerThreads
from scripts.localcloud.answers.calls.connection import Connection
from scripts.localcloud.answers.calls.http_reply import HttpReply
from scripts.localcloud.answers.calls.replies import Heard, Replies
from scripts.localcloud.answers.calls.way import Way, Ways
from scripts.localcloud.answers.upstream import (
    Silence,
    Upstream,
    heard,
    no_reply,
    request_to,
    upstream_url,
)
from scripts.localcloud.answers.upstream_health import AskedRow

_ERRNO = re.compile(r"\[Errno -?\d+\] ([^'\")]+)")


@dataclass
class _Call:
    row: AskedRow
    replies: Replies
    url: str
    asked_at: float = 0.0


class UpstreamCalls:
    """Safe to use from several threads: all connections belong to one thread of its own.

    An own client, for ``aiohttp`` needs three times as long for a call.

    Args:
        upstream: Who is called.
        concurrency: How many calls are made at once.

    Attributes:
        is_closed: Nothing is replied any longer.
        under_way: How many calls are.
    """

    def __init__(self, upstream: Upstream, concurrency: int) -> None:
        self._upstream = upstream
        self._concurrency = concurrency
        self._ways = Ways(upstream)
        self._threads = CallerThreads(concurrency, "upstream")
        self.is_closed = False
        self.under_way = 0
        self._starting = Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: deque[_Call] = deque()
        self._idle: list[Connection] = []
        self._calls: dict[Connection, _Call] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def ask(self, rows: Iterable[AskedRow], replies: Replies) -> None:
        """Call for each row as soon as there is a place; the replies come as they end."""
        calls = [_Call(row, replies, upstream_url(self._upstream.url, row.request.url)) for row in rows]
        if calls:
            self._running().call_soon_threadsafe(self._take, calls)

    def ask_one(self, request: Request) -> Replies:
        replies = Replies()
        self.ask([AskedRow(request)], replies)
        return replies

    def close(self) -> None:
        """Break off what is under way: nobody waits for it any longer."""
        with self._starting:
            if self._loop:
                self._loop.call_soon_threadsafe(self._loop.stop)
                self._thread.join()
        self.is_closed = True
        self._threads.close()
        self._ways.close()

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._starting:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = Thread(target=self._run, args=(self._loop,), name="upstream", daemon=True)
                self._thread.start()
            return self._loop

    # What follows runs in the loop's thread.

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        loop.run_forever()
        loop.run_until_complete(self._end())
        loop.close()

    async def _end(self) -> None:
        self._waiting.clear()
        for task in self._tasks:
            task.cancel()
        for connection in [*self._idle, *self._calls]:
            connection.close()
        await asyncio.sleep(0)  # what was closed is told so, and lets go of its socket

    def _take(self, calls: list[_Call]) -> None:
        self._waiting.extend(calls)
        self._go_on()

    def _go_on(self) -> None:
        while self._waiting and self.under_way < self._concurrency:
            call = self._waiting.popleft()
            if call.replies.begin():
                self._begin(call)

    def _begin(self, call: _Call) -> None:
        call.asked_at = time.monotonic()
        self.under_way += 1
        try:
            way, body = self._ways.to(call.url), request_to(self._upstream, call.row.request)
        except Exception as error:  # noqa: BLE001 - each call has an end, whatever comes of it
            # Not at once: the next call would fail from here, and the next from there.
            asyncio.get_running_loop().call_soon(self._ended, call, error)
            return
        if way.is_proxied:
            self._go(self._post(call, body))
        elif connection := self._usable():
            self._send(connection, call, way.request(body))
        else:
            self._go(self._connect(call, way, way.request(body)))

    def _usable(self) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.is_usable:
                return connection
            connection.close()
        return None

    def _send(self, connection: Connection, call: _Call, content: bytes) -> None:
        self._calls[connection] = call
        connection.send(content)

    def _go(self, act: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(act)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connect(self, call: _Call, way: Way, content: bytes) -> None:
        made = partial(Connection, self._upstream.timeout_s, self._replied)
        try:
            connection = await way.connect(made, self._threads)
        except Exception as error:  # noqa: BLE001 - a task that raised would leave its call open
            self._ended(call, error)
        else:
            self._send(connection, call, content)

    async def _post(self, call: _Call, body: bytes) -> None:
        try:
            status, content = await self._threads.awaited(partial(self._ways.post, call.url, body))
            said: Answer | Silence | Exception = heard(status, content, call.url)
        except Exception as error:  # noqa: BLE001 - here, too; the row says what it was
            said = error
        self._ended(call, said)

    def _replied(self, connection: Connection, said: HttpReply | Exception) -> None:
        call = self._calls.pop(connection)
        if isinstance(said, Exception):
            self._ended(call, said)
            return
        if said.keeps_open:
            self._idle.append(connection)
        if 300 <= said.status < 400:  # whoever redirects has not done the work
            self._go(self._post(call, request_to(self._upstream, call.row.request)))
        else:
            self._ended(call, self._heard(call, said))

    def _heard(self, call: _Call, reply: HttpReply) -> Answer | Silence | Exception:
        try:
            return heard(reply.status, reply.content, call.url)
        except Exception as error:  # noqa: BLE001 - a server may say anything; the row tells it
            return error

    def _ended(self, call: _Call, said: Answer | Silence | Exception) -> None:
        self.under_way -= 1
        if isinstance(said, Exception):
            said = no_reply(f"{call.url}: {self._reason(said)}")
        if not call.replies.held:
            asyncio.get_running_loop().call_soon(call.replies.hand_over)
        call.replies.held.append(Heard(call.row, said, call.asked_at))
        self._go_on()

    def _reason(self, error: Exception) -> str:
        is_late = isinstance(error, TimeoutError) and error.errno is None
        if is_late or isinstance(error, requests.ReadTimeout):
            return f"no answer within {self._upstream.timeout_s:g} s"
        number = _ERRNO.search(str(error))
        return number[1] if number else type(error).__name__
