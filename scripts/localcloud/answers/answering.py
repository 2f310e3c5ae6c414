"""Who answers the rows: the built-in answers, or an upstream server with bounded concurrency."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from functools import partial
from itertools import chain
from typing import NamedTuple

from scripts.localcloud.answers.built_in_answers import Answer, Request, built_in_answer
from scripts.localcloud.answers.caller_threads import CallerThreads
from scripts.localcloud.answers.upstream import Silence, Upstream, ask_upstream
from scripts.localcloud.answers.upstream_health import AskedRow, UpstreamHealth
from shared.ports.clock import Clock
from shared.providers.bailian.profile import TEST_ENDPOINT

_TICK_S = 0.05
_FEWEST_WAITING = 8


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
        self.waiting: deque[AskedRow] = deque()
        self.pending: dict[Future[_Heard], AskedRow] = {}

    @property
    def has_fresh(self) -> bool:
        return self._fresh is not None

    @property
    def is_done(self) -> bool:
        return not (self.has_fresh or self.waiting or self.pending)

    def next(self) -> AskedRow | None:
        """A row to ask about now: one that has waited long enough, or one that is new."""
        due = next((row for row in self.waiting if row.not_before <= time.monotonic()), None)
        if due:
            self.waiting.remove(due)
            return due
        if self._fresh is None or len(self.waiting) >= self._most_waiting:
            return None
        row, self._fresh = AskedRow(self._fresh), next(self._others, None)
        return row


class Answering:
    """Answers requests as they finish, holding only a few of them at a time.

    ``concurrency`` bounds the calls to the upstream over all batches.
    """

    def __init__(self, upstream: Upstream | None, concurrency: int, clock: Clock) -> None:
        self._upstream = upstream
        self._clock = clock
        self._window = 2 * concurrency
        self._health = UpstreamHealth(upstream)
        self._threads = CallerThreads[_Heard](concurrency, "upstream")

    def waits_for(self) -> Silence | None:
        """What keeps the rows of every batch from being answered, and has done so for some time."""
        return self._health.waits_for

    def answers(
        self, requests: Iterator[Request], tick: Callable[[], None]
    ) -> Iterator[tuple[Request, Answer]]:
        """Each request with its answer. What ``tick`` raises ends this; it is called now and then.

        The service itself answers for its test model, also with an upstream.
        """
        first = next(requests, None)
        if first is None:
            return
        if self._upstream is None or first.url == TEST_ENDPOINT:
            yield from ((request, self._built_in(request)) for request in chain((first,), requests))
        else:
            rows = _Rows(first, requests, max(self._window, _FEWEST_WAITING))
            yield from self._upstream_answers(self._upstream, rows, tick)

    def answer_now(self, request: Request) -> Answer | Silence:
        """The answer to one request outside of all batches, or why there is none; asked once."""
        if self._upstream is None:
            return self._built_in(request)
        return self._threads.submit(partial(self._call, self._upstream, request)).result().said

    def close(self) -> None:
        self._threads.close()

    def _upstream_answers(
        self, upstream: Upstream, rows: _Rows, tick: Callable[[], None]
    ) -> Iterator[tuple[Request, Answer]]:
        try:
            while True:
                tick()
                self._ask(upstream, rows)
                if rows.is_done:
                    return
                if not rows.pending:
                    time.sleep(_TICK_S)
                for future in wait(rows.pending, _TICK_S, FIRST_COMPLETED).done:
                    row = rows.pending.pop(future)
                    answer = self._answer_of(row, future.result(), rows)
                    if answer:
                        yield row.request, answer
        finally:
            for future in rows.pending:
                future.cancel()

    def _ask(self, upstream: Upstream, rows: _Rows) -> None:
        while len(rows.pending) < self._window and self._health.may_ask():
            row = rows.next()
            if row is None:
                return
            rows.pending[self._threads.submit(partial(self._call, upstream, row.request))] = row

    def _answer_of(self, row: AskedRow, heard: _Heard, rows: _Rows) -> Answer | None:
        if isinstance(heard.said, Answer):
            return heard.said
        row.fail(heard.answers)
        verdict = self._health.verdict_on(row, heard.said, heard.asked_at, is_last=not rows.has_fresh)
        if verdict is None:
            rows.waiting.append(row)
        return verdict

    def _built_in(self, request: Request) -> Answer:
        return built_in_answer(request, int(self._clock.now().timestamp()))

    def _call(self, upstream: Upstream, request: Request) -> _Heard:
        asked_at = time.monotonic()
        said = ask_upstream(upstream, request)
        if isinstance(said, Answer):
            self._health.note_answer()
        return _Heard(said, asked_at, self._health.answers)
