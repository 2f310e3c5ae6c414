"""Long work, killed before each of its calls, and with time for one piece only."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import suppress

from shared.problems.exceptions import WorkLeft
from tests.support.fakes import Killed, MemoryStore


def one_piece() -> None:
    """A ``Pause``: each invocation has time for one piece."""
    raise WorkLeft


def invocations_of(store: MemoryStore, work: Callable[[], object]) -> int:
    """How many it takes until the work is done, beside those that are killed.

    Of each invocation, one is killed before its first call, one before its second, and so on.
    """
    for number in range(1, 100):
        with suppress(WorkLeft):
            _in_spite_of_kills(store, work)
            return number
    raise AssertionError("it never ends")


def _in_spite_of_kills(store: MemoryStore, work: Callable[[], object]) -> None:
    for calls in itertools.count():
        made = itertools.count()

        def dies(_what: str, _key: str, calls: int = calls, made: Iterator[int] = made) -> None:
            if next(made) == calls:
                raise Killed

        store.before = dies
        try:
            work()
        except Killed:
            continue
        finally:
            store.before = None
        return
