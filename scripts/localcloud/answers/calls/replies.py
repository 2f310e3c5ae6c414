"""What comes of the calls of one batch."""

from __future__ import annotations

from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Lock
from typing import NamedTuple

from scripts.localcloud.answers.built_in_answers import Answer
from scripts.localcloud.answers.upstream import Silence
from scripts.localcloud.answers.upstream_health import AskedRow


class Heard(NamedTuple):
    """What came of one call."""

    row: AskedRow
    said: Answer | Silence
    asked_at: float


class Replies:
    """Handed over in groups, since many come at the same time.

    Attributes:
        under_way: How many calls have begun whose replies ``next`` has not returned yet.
    """

    def __init__(self) -> None:
        self._groups: SimpleQueue[list[Heard]] = SimpleQueue()
        self._lock = Lock()
        self._is_wanted = True
        self.held: list[Heard] = []
        self.under_way = 0

    def begin(self) -> bool:
        """Whether a call may begin; its reply is then one of those that are under way."""
        with self._lock:
            self.under_way += self._is_wanted
            return self._is_wanted

    def withdraw(self) -> None:
        """From now on no call begins."""
        with self._lock:
            self._is_wanted = False

    def next(self, timeout_s: float) -> list[Heard]:
        """All that has come; waits for the first, and is empty if none has come in time."""
        come: list[Heard] = []
        with suppress(Empty):
            come += self._groups.get(timeout=timeout_s)
            while True:
                come += self._groups.get_nowait()
        with self._lock:
            self.under_way -= len(come)
        return come

    def hand_over(self) -> None:
        group, self.held = self.held, []
        self._groups.put(group)
