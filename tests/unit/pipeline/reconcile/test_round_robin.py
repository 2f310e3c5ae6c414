"""One run's time and who gets it, in a model of time: a slow provider is its own affair."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from shared.pipeline.reconcile.round_robin import RoundRobin
from shared.pipeline.reconcile.step import Candidate
from shared.problems.exceptions import TransientError
from tests.support.fakes import FixedClock

TICK, BUDGET = timedelta(minutes=1), timedelta(seconds=50)
BATCHES = 200


@dataclass
class Step:
    """Candidates whose looks take their time, and so does finding them."""

    name: str
    clock: FixedClock
    candidates_there: int = 0
    look_s: float = 0.1
    list_s: float = 0.0
    fails: bool = False
    looked_at: list[tuple[str, datetime]] = field(default_factory=list)

    def candidates(self) -> Iterator[Candidate]:
        self._takes(self.list_s)
        for number in range(self.candidates_there):
            key = f"{number:05}"
            yield Candidate(key, lambda key=key: self._look(key))  # type: ignore[misc]

    def _look(self, key: str) -> bool:
        self.looked_at.append((key, self.clock.now()))
        self._takes(self.look_s)
        return False

    def _takes(self, seconds: float) -> None:
        self.clock.advance(timedelta(seconds=seconds))
        if self.fails and seconds:
            raise TransientError("no answer")


class Timer:
    """Runs a minute apart, or as soon as the last one is over."""

    def __init__(self) -> None:
        self.clock = FixedClock()
        self.steps = [self.step(name) for name in ("slots", "finished", "waiting", "ready")]
        self._last = RoundRobin(self.clock, self.clock.now(), {})

    def step(self, name: str, **more: float) -> Step:
        return Step(name, self.clock, **more)  # type: ignore[arg-type]

    def run(self) -> None:
        began_at, last = self.clock.now(), self._last
        self._last = RoundRobin(self.clock, began_at + BUDGET, last.stopped_after, last.last_step, last.slow)
        self._last(self.steps)
        self.clock.set(max(began_at + TICK, self.clock.now()))

    def minutes_until(self, step: Step, looks: int) -> float:
        """From now until so many of its candidates had their turn."""
        began_at, before = self.clock.now(), len(step.looked_at)
        while len(step.looked_at) < before + looks:
            self.run()
        return (step.looked_at[before + looks - 1][1] - began_at) / TICK


@pytest.mark.parametrize(
    ("slow", "at_first", "later"),
    [
        ({}, 0.4, 0.4),
        ({"look_s": 20, "fails": True}, 0.7, 0.4),
        ({"look_s": 70, "fails": True}, 1.6, 0.4),
        ({"look_s": 300, "fails": True}, 5.4, 0.4),
        ({"look_s": 15}, 0.6, 0.6),
        ({"list_s": 70, "fails": True}, 1.6, 0.4),
    ],
)
def test_a_provider_that_does_not_answer_leaves_the_batches_of_the_other_their_time(
    slow: dict[str, float], at_first: float, later: float
) -> None:
    timer = Timer()
    ours = timer.step("running bailian", candidates_there=BATCHES)
    theirs = timer.step("running ark", **{"candidates_there": 6, **slow})
    timer.steps += [ours, theirs]

    minutes = [timer.minutes_until(ours, BATCHES) for _ in range(5)]

    assert minutes[0] <= at_first
    assert max(minutes[1:]) <= later
    assert len({key for key, _ in ours.looked_at}) == BATCHES


@pytest.mark.parametrize(("look_s", "at_first"), [(20, 0.7), (70, 1.6)])
def test_nor_does_it_take_the_time_once_for_its_batches_and_once_for_its_files(
    look_s: int, at_first: float
) -> None:
    timer = Timer()
    ours = timer.step("files bailian", candidates_there=BATCHES)
    timer.steps += [
        timer.step("running ark", candidates_there=6, look_s=look_s, fails=True),
        timer.step("files ark", list_s=look_s, fails=True),
        ours,
    ]

    minutes = [timer.minutes_until(ours, BATCHES) for _ in range(5)]

    assert minutes[0] <= at_first
    assert max(minutes[1:]) <= 0.4


@pytest.mark.parametrize(("look_s", "fails"), [(20, True), (70, True), (15, False)])
def test_a_slow_provider_is_asked_all_the_same_however_much_the_others_have_to_do(
    look_s: int, *, fails: bool
) -> None:
    timer = Timer()
    theirs = timer.step("running ark", candidates_there=6, look_s=look_s, fails=fails)
    timer.steps += [timer.step("running bailian", candidates_there=10**6), theirs]

    assert timer.minutes_until(theirs, 6) <= 20
    assert len({key for key, _ in theirs.looked_at}) == 6


def test_what_fails_at_once_does_not_keep_the_rest_of_its_kind_from_its_turn() -> None:
    timer = Timer()
    theirs = timer.step("running ark", candidates_there=6, fails=True)
    timer.steps += [theirs]

    timer.run()

    assert len(theirs.looked_at) == 6


def test_what_gets_no_answer_is_asked_once_in_a_run_and_goes_on_there_in_the_next() -> None:
    timer = Timer()
    theirs = timer.step("running ark", candidates_there=6, look_s=20, fails=True)
    timer.steps += [theirs]

    for _ in range(3):
        timer.run()

    assert [key for key, _ in theirs.looked_at] == ["00000", "00001", "00002"]


def test_a_step_with_much_to_do_has_the_time_that_the_others_leave() -> None:
    timer = Timer()
    ours = timer.step("running bailian", candidates_there=10_000)
    timer.steps += [ours, timer.step("running ark", candidates_there=6)]

    timer.run()

    assert len(ours.looked_at) == 10 * 50 - 6 + 1
