"""Who answers the rows: the built-in answers, or an upstream server with bounded concurrency."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, nullcontext
from functools import partial
from itertools import chain
from queue import Empty, SimpleQueue
from typing import NamedTuple

from scripts.localcloud.answers.built_in_answers import Answer, Request, built_in_answer
from scripts.localcloud.answers.caller_threads import CallerThreads
from scripts.localcloud.answers.upstream import Silence, Upstream
from scripts.localcloud.answers.upstream_calls import UpstreamCalls
from scripts.localcloud.answers.upstream_health import AskedRow, UpstreamHealth
from shared.ports.clock import Clock
from shared.providers.bailian.profile import TEST_ENDPOINT

_TICK_S = 0.05
_FEWEST_WAITING = 8
_ROWS_OF_ONE_TIME = 20


class _Heard(NamedTuple):
    """What came of one call; ``answers`` is how many rows had been answered when it ended."""

    said: Answer | Silence
    asked_at: float
    answers: int


class _Rows:
    """The rows of one batch that are being asked for, and those that wait to be asked again."""

    def __init__(self, first: Request, others: Iterator[Request], most_waiting: int) -> None:
        self._fresh: Request | None = first
        self._others = others
        self._most_waiting = most_waiting
        self._was_again = False
        self.waiting: deque[AskedRow] = deque()
        self.pending: dict[Future[_Heard], AskedRow] = {}
        self._ended: SimpleQueue[Future[_Heard]] = SimpleQueue()

    @property
    def has_fresh(self) -> bool:
        return self._fresh is not None

    @property
    def is_done(self) -> bool:
        return not (self.has_fresh or self.waiting or self.pending)

    def next(self) -> AskedRow | None:
        """A row to ask about now: one that has waited long enough, or one that is new.

        In turn, if there are both: a row that is never answered must not keep others from showing
        that the upstream is well.
        """
        due = next((row for row in self.waiting if row.not_before <= time.monotonic()), None)
        fresh = self._fresh if len(self.waiting) < self._most_waiting else None
        self._was_again = due is not None and not (self._was_again and fresh)
        if due and self._was_again:
            self.waiting.remove(due)
            return due
        if fresh is None:
            return None
        self._fresh = next(self._others, None)
        return AskedRow(fresh)

    def ask(self, row: AskedRow, call: Future[_Heard]) -> None:
        self.pending[call] = row
        call.add_done_callback(self._ended.put)

    def ended(self) -> Iterator[tuple[AskedRow, _Heard]]:
        """The rows whose calls have ended; waits a moment for one."""
        # Not ``wait``, which looks at all that are pending each time that one of them ends.
        try:
            call = self._ended.get(timeout=_TICK_S)
            while True:
                yield self.pending.pop(call), call.result()
                call = self._ended.get_nowait()
        except Empty:
            return


class Answering:
    """Answers requests as they finish, holding only a few of them at a time.

    ``concurrency`` bounds the calls to the upstream over all batches.
    """

    def __init__(self, upstream: Upstream | None, concurrency: int, clock: Clock) -> None:
        self._calls = UpstreamCalls(upstream) if upstream else None
        self._clock = clock
        self._window = 2 * concurrency
        self._health = UpstreamHealth(upstream)
        self._threads = CallerThreads[_Heard](concurrency, "upstream")
        self._turn = threading.Lock()

    def waits_for(self) -> Silence | None:
        """What keeps the rows of every batch from being answered, and has done so for some time."""
        return self._health.waits_for

    @contextmanager
    def turn(self) -> Iterator[None]:
        """For a batch without pauses: where the service itself answers, one comes after another.

        So the first ends, and can be collected, while the others are answered.
        """
        with nullcontext() if self._calls else self._turn:
            yield

    def costs_nothing(self, url: str) -> bool:
        """Whether the service itself answers: its test model's rows, also with an upstream."""
        return self._calls is None or url == TEST_ENDPOINT

    def answers(
        self, requests: Iterator[Request], tick: Callable[[], None]
    ) -> Iterator[tuple[Request, Answer]]:
        """Each request with its answer; ``tick`` is called now and then, and may end this."""
        first = next(requests, None)
        if first is None:
            return
        if self._calls is None or self.costs_nothing(first.url):
            yield from self._built_in_answers(chain((first,), requests))
        else:
            rows = _Rows(first, requests, max(self._window, _FEWEST_WAITING))
            yield from self._upstream_answers(self._calls, rows, tick)

    def answer_now(self, request: Request) -> Answer | Silence:
        """The answer to one request outside of all batches, or why there is none; asked once."""
        if self._calls is None:
            return built_in_answer(request, self._created())
        return self._threads.submit(partial(self._call, self._calls, request)).result().said

    def close(self) -> None:
        self._threads.close()
        if self._calls:
            self._calls.close()

    def _upstream_answers(
        self, calls: UpstreamCalls, rows: _Rows, tick: Callable[[], None]
    ) -> Iterator[tuple[Request, Answer]]:
        try:
            while True:
                tick()
                self._ask(calls, rows)
                if rows.is_done:
                    return
                for row, heard in rows.ended():
                    answer = self._answer_of(row, heard, rows)
                    if answer:
                        yield row.request, answer
        finally:
            for future in rows.pending:
                future.cancel()

    def _ask(self, calls: UpstreamCalls, rows: _Rows) -> None:
        while len(rows.pending) < self._window and self._health.may_ask():
            row = rows.next()
            if row is None:
                return
            rows.ask(row, self._threads.submit(partial(self._call, calls, row.request)))

    def _answer_of(self, row: AskedRow, heard: _Heard, rows: _Rows) -> Answer | None:
        if isinstance(heard.said, Answer):
            return heard.said
        row.fail(heard.answers)
        verdict = self._health.verdict_on(row, heard.said, heard.asked_at, is_last=not rows.has_fresh)
        if verdict is None:
            rows.waiting.append(row)
        return verdict

    def _built_in_answers(self, requests: Iterator[Request]) -> Iterator[tuple[Request, Answer]]:
        created = 0
        for number, request in enumerate(requests):
            if number % _ROWS_OF_ONE_TIME == 0:
                created = self._created()
            yield request, built_in_answer(request, created)

    def _created(self) -> int:
        return int(self._clock.now().timestamp())

    def _call(self, calls: UpstreamCalls, request: Request) -> _Heard:
        asked_at = time.monotonic()
        said = calls.ask(request)
        if isinstance(said, Answer):
            self._health.note_answer()
        return _Heard(said, asked_at, self._health.answers)
