"""Has the rows of one batch answered at a steady pace, to the last or until something ends it."""

from __future__ import annotations

import logging
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import Generic

from scripts.localcloud.answers.answering import Answering, Answers
from scripts.localcloud.answers.built_in_answers import Answer, Request
from scripts.localcloud.answers.faults import Faults, Struck
from scripts.localcloud.answers.result_lines import ResultLines, quick_result_line, result_line
from scripts.localcloud.interruptions import Interruptions
from shared.ports.clock import Clock

log = logging.getLogger(__name__)

_TICK_S = 0.02
_LOOK_EVERY_S = 0.02
_HELD_BYTES = 256 * 1024
_SHOW_COUNTS_EVERY_S = 0.1


class Stopped(Exception):
    """The service stops; the batch goes on when it starts again."""


class CutShort(Exception):
    """The batch ends before all rows are done, as ``status`` says."""

    def __init__(self, status: str) -> None:
        super().__init__(status)
        self.status = status


@dataclass(frozen=True)
class RunContext(Generic[Struck]):
    """What all batches of a service share; one takes at least ``batch_delay_s``."""

    faults: Faults[Struck]
    answering: Answering
    clock: Clock
    stopping: threading.Event
    batch_delay_s: float
    interruptions: Interruptions = field(default_factory=Interruptions)


class RowRun(ABC, Generic[Struck]):
    """What the runs of all services have in common: a pace, pauses, and an end that may come."""

    def __init__(self, context: RunContext[Struck]) -> None:
        self._context = context
        self._show_at = self._look_at = 0.0

    def _answer_rows(self, requests: Iterator[Request], results: ResultLines, total: int) -> None:
        """Half of the delay is for the rows."""
        pause_s = self._context.batch_delay_s / 2 / max(total, 1)
        with ExitStack() as running:
            if not pause_s:
                running.enter_context(self._context.answering.turn(self._tick))
            running.callback(self._write, results.flush)
            self._answer_each(requests, results, total, pause_s)

    def _answer_each(
        self, requests: Iterator[Request], results: ResultLines, total: int, pause_s: float
    ) -> None:
        started = time.monotonic() - pause_s * len(results.done)
        answering, position = self._context.answering, len(results.done)
        for group in answering.answers(requests, self._look_now_and_then, one_by_one=pause_s > 0):
            # Before anything that may end the run: an upstream may have been paid for them.
            costs_nothing = answering.costs_nothing(group[0][0].url)
            rendered = quick_result_line if costs_nothing else result_line
            results.hold(self._kept(group, position, total), rendered)
            position += len(group)
            if not costs_nothing or results.held_bytes >= _HELD_BYTES:
                self._write(results.flush)
            self._show_now_and_then(results)
            if costs_nothing:
                self._look_now_and_then()
            # Of an upstream's rows some are under way: the next tick ends the run once they came.
            with suppress(*() if costs_nothing else (Stopped, CutShort)):
                if time.monotonic() < (moment := started + pause_s * position):
                    self._wait_until(moment)

    def _kept(self, group: Answers, position: int, total: int) -> Iterable[tuple[Request, Answer]]:
        """The group as the faults leave it."""
        for number, (request, answer) in enumerate(group, start=position):
            self._before_row(number, total)
            yield request, self._spoilt(answer, number, total)

    def _show_now_and_then(self, results: ResultLines) -> None:
        now = time.monotonic()
        if now >= self._show_at:
            self._show_at = now + _SHOW_COUNTS_EVERY_S
            self._write(results.flush)  # or a restart would take back what is shown
            with self._context.interruptions.outlived("counts"):
                self._show(results)

    def _write(self, act: Callable[[], None]) -> None:
        """Not before there is space for it is another row asked, and none is asked twice."""
        if not self._context.interruptions.repeat("answers", act, self._context.stopping.wait):
            raise Stopped

    def _look_now_and_then(self) -> None:
        """Not for every row: a look asks a database, and takes longer than a built-in answer."""
        if time.monotonic() >= self._look_at:
            self._look()

    def _look(self) -> None:
        self._tick()
        self._wait_until(0.0)
        self._look_at = time.monotonic() + _LOOK_EVERY_S

    @abstractmethod
    def _tick(self) -> None:
        """End in time, also while an upstream is waited for."""

    @abstractmethod
    def _check(self) -> None:
        """Raise if somebody has ended the batch."""

    @abstractmethod
    def _before_row(self, position: int, total: int) -> None:
        """End by a fault, perhaps."""

    @abstractmethod
    def _spoilt(self, answer: Answer, position: int, total: int) -> Answer:
        """The answer as the faults leave it."""

    @abstractmethod
    def _show(self, results: ResultLines) -> None:
        """Let the counts be seen."""

    def _wait(self, seconds: float) -> None:
        self._wait_until(time.monotonic() + seconds)

    def _wait_until(self, moment: float) -> None:
        self._check_all()
        while self._context.faults.paused or time.monotonic() < moment:
            self._context.stopping.wait(_TICK_S)
            self._check_all()

    def _check_all(self) -> None:
        if self._context.stopping.is_set():
            raise Stopped
        self._check()

    def _now(self) -> int:
        return int(self._context.clock.now().timestamp())


def run_in(pool: ThreadPoolExecutor, call: Callable[..., None], *arguments: object) -> None:
    """Run it in the pool; what it raises is logged."""
    pool.submit(call, *arguments).add_done_callback(_log_crash)


def _log_crash(future: Future[None]) -> None:
    if not future.cancelled() and (error := future.exception()):
        log.error("batch.crashed", exc_info=error)
