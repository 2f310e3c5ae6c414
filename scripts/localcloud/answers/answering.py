"""Who answers the rows: the built-in answers, or an upstream server with bounded concurrency."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain, islice

from scripts.localcloud.answers.built_in_answers import Answer, Request, built_in_answer
from scripts.localcloud.answers.calls.replies import Heard, Replies
from scripts.localcloud.answers.calls.upstream_calls import UpstreamCalls
from scripts.localcloud.answers.upstream import STOPS, Silence, Upstream, no_reply
from scripts.localcloud.answers.upstream_health import AskedRow, UpstreamHealth
from shared.ports.clock import Clock
from shared.providers.bailian.profile import TEST_ENDPOINT

_TICK_S = 0.05
_TURN_TICK_S = 0.1
_FEWEST_WAITING = 8
_ROWS_OF_ONE_TIME = 20
Answers = list[tuple[Request, Answer]]


class _Rows:
    """The rows of one batch that are being asked for, and those that wait to be asked again."""

    def __init__(self, first: Request, others: Iterator[Request], most_waiting: int) -> None:
        self._fresh: Request | None = first
        self._others = others
        self._most_waiting = most_waiting
        self._was_again = False
        self.waiting: deque[AskedRow] = deque()
        self.pending = 0

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


class Answering:
    """Answers requests as they finish, holding only a few of them at a time.

    ``concurrency`` bounds the calls to the upstream over all batches.
    """

    def __init__(self, upstream: Upstream | None, concurrency: int, clock: Clock) -> None:
        self._calls = UpstreamCalls(upstream, concurrency) if upstream else None
        self._patience_s = upstream.patience_s if upstream else 0.0
        self._clock = clock
        self._window = 2 * concurrency
        self._health = UpstreamHealth(upstream)
        self._turn = threading.Lock()

    @property
    def under_way(self) -> int:
        """How many calls to the upstream are."""
        return self._calls.under_way if self._calls else 0

    def hurry(self) -> None:
        """Wait no longer for what is under way; safe to call from a signal's handler."""
        self._patience_s = 0.0

    def waits_for(self) -> Silence | None:
        """What keeps the rows of every batch from being answered, and has done so for some time."""
        return self._health.waits_for

    @contextmanager
    def turn(self, tick: Callable[[], None]) -> Iterator[None]:
        """For a batch without pauses: where the service itself answers, one comes after another.

        So the first ends, and can be collected, while the others are answered. ``tick`` is called
        now and then while the others' turn lasts, and may end this.
        """
        if self._calls:
            yield
            return
        while not self._turn.acquire(timeout=_TURN_TICK_S):
            tick()
        try:
            yield
        finally:
            self._turn.release()

    def costs_nothing(self, url: str) -> bool:
        """Whether the service itself answers: its test model's rows, also with an upstream."""
        return self._calls is None or url == TEST_ENDPOINT

    def answers(
        self, requests: Iterator[Request], tick: Callable[[], None], *, one_by_one: bool = False
    ) -> Iterator[Answers]:
        """Each request with its answer, in groups.

        Args:
            requests: As many are read as can be asked about.
            tick: Called now and then while an upstream is waited for, and may end this: nothing
                more is asked then, and what is under way still comes, if it comes soon.
            one_by_one: Those that cost nothing come one at a time.
        """
        first = next(requests, None)
        if first is None:
            return
        if self._calls is None or self.costs_nothing(first.url):
            size = 1 if one_by_one else _ROWS_OF_ONE_TIME
            yield from self._built_in_answers(chain((first,), requests), size)
        else:
            rows = _Rows(first, requests, max(self._window, _FEWEST_WAITING))
            yield from self._upstream_answers(self._calls, rows, tick)

    def answer_now(self, request: Request) -> Answer | Silence:
        """The answer to one request outside of all batches, or why there is none; asked once."""
        if self._calls is None:
            return built_in_answer(request, self._created())
        replies = self._calls.ask_one(request)
        while not self._calls.is_closed:
            for heard in replies.next(_TICK_S):
                return heard.said
        return no_reply(STOPS)

    def close(self) -> None:
        if self._calls:
            self._calls.close()

    def _upstream_answers(
        self, calls: UpstreamCalls, rows: _Rows, tick: Callable[[], None]
    ) -> Iterator[Answers]:
        replies = Replies()
        try:
            while True:
                try:
                    tick()
                except Exception:  # whatever ends the work; it is raised once all is kept
                    yield from self._last(calls, replies, rows)
                    raise
                calls.ask(self._to_ask(rows), replies)
                if rows.is_done:
                    return
                yield from self._answered(replies.next(_TICK_S), rows)
        finally:
            replies.withdraw()

    def _last(self, calls: UpstreamCalls, replies: Replies, rows: _Rows) -> Iterator[Answers]:
        """What has come, and what is under way: it may have been paid for."""
        replies.withdraw()
        began = time.monotonic()
        while replies.under_way and not calls.is_closed and time.monotonic() - began < self._patience_s:
            yield from self._answered(replies.next(_TICK_S), rows)
        yield from self._answered(replies.next(0), rows)

    def _to_ask(self, rows: _Rows) -> Iterator[AskedRow]:
        while rows.pending < self._window and self._health.may_ask():
            row = rows.next()
            if row is None:
                return
            rows.pending += 1
            yield row

    def _answered(self, group: list[Heard], rows: _Rows) -> Iterator[Answers]:
        rows.pending -= len(group)
        told = [(heard.row.request, self._answer_of(heard, rows)) for heard in group]
        if answered := [(request, answer) for request, answer in told if answer]:
            yield answered

    def _answer_of(self, heard: Heard, rows: _Rows) -> Answer | None:
        row, said, asked_at = heard
        if isinstance(said, Answer):
            self._health.note_answer()
            return said
        row.fail(self._health.answers)
        verdict = self._health.verdict_on(row, said, asked_at, is_last=not rows.has_fresh)
        if verdict is None:
            rows.waiting.append(row)
        return verdict

    def _built_in_answers(self, requests: Iterator[Request], size: int) -> Iterator[Answers]:
        while group := list(islice(requests, size)):
            created = self._created()
            yield [(request, built_in_answer(request, created)) for request in group]

    def _created(self) -> int:
        return int(self._clock.now().timestamp())
