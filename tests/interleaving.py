"""Runs several invocations at once, interleaved call by call in an order that a seed decides, some of them killed."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence


class Killed(BaseException):
    """Function Compute has ended the process between two calls."""


class Baton:
    """Whoever makes a port call waits for its turn; with one runner at a time every run repeats exactly."""

    def __init__(self, seed: int, *, kill: float = 0.0) -> None:
        self._chance = random.Random(seed)
        self._kill = kill
        self._local = threading.local()

    def run(self, calls: Sequence[Callable[[], object]]) -> list[object]:
        """Run all to their ends; what each returned, or the exception that it ended with."""
        runners = [_Runner(call, self._local) for call in calls]
        for runner in runners:
            runner.start()
        waiting = list(runners)
        while waiting:
            runner = self._chance.choice(waiting)
            runner.step(kill=self._chance.random() < self._kill)
            if runner.ended:
                waiting.remove(runner)
        for runner in runners:
            runner.join()
        return [runner.result for runner in runners]

    def turn(self) -> None:
        """Called before each port call; outside of ``run`` it does nothing."""
        runner: _Runner | None = getattr(self._local, "runner", None)
        if runner:
            runner.wait_for_turn()


class _Runner(threading.Thread):
    def __init__(self, call: Callable[[], object], local: threading.local) -> None:
        super().__init__(daemon=True)
        self.result: object = None
        self.ended = False
        self._call = call
        self._local = local
        self._go = threading.Semaphore(0)
        self._stopped = threading.Semaphore(0)
        self._is_killed = False

    def run(self) -> None:
        self._local.runner = self
        try:
            self.wait_for_turn()
            self.result = self._call()
        except BaseException as error:  # noqa: BLE001  # the test looks at it
            self.result = error
        self.ended = True
        self._stopped.release()

    def step(self, *, kill: bool) -> None:
        """Let it go on to its next call, and wait until it stands before that."""
        if self.ended:
            return
        self._is_killed = kill
        self._go.release()
        self._stopped.acquire()

    def start(self) -> None:
        super().start()
        self._stopped.acquire()

    def wait_for_turn(self) -> None:
        self._stopped.release()
        self._go.acquire()
        if self._is_killed:
            raise Killed
