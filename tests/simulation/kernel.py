"""Virtual time, and invocations that are stopped, mixed and killed between any two port calls."""

from __future__ import annotations

import heapq
import random
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from greenlet import getcurrent, greenlet

from shared.pipeline.deadlines import CLOCK_ERROR
from tests.simulation.faults import Faults
from tests.support.fakes import START, Killed

# How long one call of a port takes, and how long if it is slow.
_CALL_S = 0.3
_SLOW_S = 500.0
_DAWDLED_S = 20.0
# From the last look whether the job is cancelled to the batch: what two do at once meets here.
_SENDING = re.compile("head .*/cancel.json|(submit|create) batchdrop-")
# More than twice as many as the longest of thousands of runs that come to their end.
MOST_CALLS = 400_000
_SKEW_S = CLOCK_ERROR.total_seconds()


class RunawayError(Exception):
    """The run does not come to an end."""


class Task:
    """One invocation under way."""

    def __init__(self, name: str, deadline_s: float, body: Callable[[], object]) -> None:
        self.name = name
        self.function = name.rsplit(maxsplit=1)[-1]
        self.deadline_s = deadline_s
        self.is_dead = False
        self.skew_s = 0.0
        self.error: BaseException | None = None
        self.last_call = ""
        self._body = body
        self.thread = greenlet(self._run)

    def _run(self) -> None:
        try:
            self._body()
        except (Killed, Exception) as error:  # noqa: BLE001  # whatever it is, the pipeline deals with it
            self.error = error


class Kernel:
    """Runs one thing at a time, in the order of virtual time; the clock of everything in the run.

    Attributes:
        now_s: Seconds since the run began.
        pace: What a call's time is multiplied by.
        acting: The function under way.
        trace: What happened, for people; ``None`` if it is not wanted.
    """

    def __init__(
        self, seed: int, faults: Faults, trace: list[str] | None = None, most_calls: int = MOST_CALLS
    ) -> None:
        self.now_s = 0.0
        self._most_calls = most_calls
        self.pace = 1.0
        self.acting: str | None = None
        self.faults = faults
        self.trace = trace
        self._random = random.Random(f"times {seed}")
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._number = 0
        self._steps = 0
        self._task: Task | None = None
        self._hub = getcurrent()
        self._skewed: dict[datetime, float] = {}
        self._asked_s, self._asked_skew_s, self._told = 0.0, 0.0, START

    def now(self) -> datetime:
        """By the clock of the function under way, which may be wrong."""
        skew_s = self._task.skew_s if self._task else 0.0
        if self.now_s != self._asked_s or skew_s != self._asked_skew_s:
            self._asked_s, self._asked_skew_s = self.now_s, skew_s
            self._told = START + timedelta(seconds=self.now_s + skew_s)
            if skew_s:
                self._skewed[self._told] = self.now_s
        return self._told

    def true_s(self, told: datetime) -> float:
        """When a function's clock said so."""
        return self._skewed.get(told, (told - START).total_seconds())

    @property
    def last_call(self) -> str:
        """Of the process under way."""
        return self._task.last_call if self._task else ""

    def random_s(self, shortest: float, longest: float) -> float:
        return shortest + (longest - shortest) * self._random.random()

    def say(self, text: str) -> None:
        if self.trace is not None:
            name = self._task.name if self._task else "-"
            self.trace.append(f"{self.now_s:>12.1f} {name:<34} {text}")

    def kill(self) -> None:
        """The process under way is gone."""
        if self._task:
            self._task.is_dead = True
        raise Killed

    def at(self, delay_s: float, action: Callable[[], None]) -> None:
        self._number += 1
        heapq.heappush(self._queue, (self.now_s + delay_s, self._number, action))

    def start(
        self, name: str, timeout_s: float, body: Callable[[], object], ended: Callable[[Task], None]
    ) -> None:
        """Run ``body`` as a process of its own, which is killed at its time-out."""
        task = Task(name, self.now_s + timeout_s, body)
        if self.faults.strikes("clock_skewed", name, self.now_s):
            task.skew_s = self.random_s(-_SKEW_S, _SKEW_S)
        self._go(task, ended)

    def _go(self, task: Task, ended: Callable[[Task], None]) -> None:
        self._task, self.acting = task, task.function
        task.thread.switch()
        self._task = self.acting = None
        if task.thread.dead:
            ended(task)
        else:
            self.at(self._wait_s, partial(self._go, task, ended))

    _wait_s = 0.0

    def call(self, what: str) -> None:
        """Stand at a port's call: time passes, others go on, the process may be killed."""
        task = self._task
        if task is None:
            return
        if task.is_dead:
            raise Killed
        task.last_call = what
        self._steps += 1
        if self._steps > self._most_calls:
            raise RunawayError(f"{self._most_calls} calls")
        faults = self.faults
        wait_s = self._random.random() * _CALL_S * self.pace
        if faults.rates:
            wait_s = self._slowed(wait_s, task, what)
        is_late = self.now_s + wait_s > task.deadline_s
        self._sleep(task.deadline_s - self.now_s if is_late else wait_s)
        if is_late or ("kill" in faults.rates and faults.strikes("kill", what, self.now_s, likely=0.3)):
            self.say(f"KILLED before {what}" + (" (time-out)" if is_late else ""))
            task.is_dead = True
            raise Killed
        if self.trace is not None:
            self.say(what)

    def _slowed(self, wait_s: float, task: Task, what: str) -> float:
        """How long the call takes, if it is a slow one."""
        strikes, rates, now_s = self.faults.strikes, self.faults.rates, self.now_s
        if "slow" in rates and strikes("slow", what, now_s, likely=0.3):
            wait_s += self._random.random() * _SLOW_S
        if "slow_results" in rates and " results/" in what and strikes("slow_results", what, now_s):
            wait_s += self._random.random() * _SLOW_S
        is_sending = "submit_dawdles" in rates and task.function == "submit" and _SENDING.match(what)
        if is_sending and strikes("submit_dawdles", what, now_s, likely=2):
            wait_s += self._random.random() * _DAWDLED_S
        return wait_s

    def _sleep(self, wait_s: float) -> None:
        if not self._queue or self._queue[0][0] > self.now_s + wait_s:
            self.now_s += wait_s  # nothing else happens until then
            return
        self._wait_s = wait_s
        self._hub.switch()

    def run(self, is_over: Callable[[], bool]) -> None:
        """Go on until nothing is left to do or it is over."""
        while self._queue and not is_over():
            self.now_s, _, action = heapq.heappop(self._queue)
            action()
