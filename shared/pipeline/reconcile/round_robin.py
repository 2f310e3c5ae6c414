"""Shares the time of one timer run among its repairs, and says where the next run goes on."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain, filterfalse

from shared.pipeline.deadlines import LONGEST_TURN
from shared.pipeline.reconcile.step import Candidate, RepairStep
from shared.ports.clock import Clock
from shared.problems.exceptions import ConfigurationError, PipelineError, ProviderTrouble, QuotaReached

log = logging.getLogger(__name__)


@dataclass
class RoundRobin:
    """One candidate of each step in turn: a step with thousands must not starve the others.

    Nor must one whose turns take long, as with a provider that does not answer. Its steps then wait
    until all others are through, in this run and, as far as it goes, in the next. One that fails
    for that is over for this run.

    Attributes:
        stop_at: No turn begins after it. The last turn may end later.
        stopped_after: By step, the key after which the next run goes on. Finished steps are absent.
        last_step: The one that had the last turn of a run that ran out of time. The next run begins
            with the one behind it.
        slow_before: Who was slow in the last run: a provider, or a step that has none.
        slow: The same of this run.
        repairs: By step, how many candidates needed repair.
        looks: How many candidates had their turn.
    """

    clock: Clock
    stop_at: datetime
    stopped_after: dict[str, str]
    last_step: str = ""
    slow_before: Collection[str] = ()
    slow: set[str] = field(default_factory=set)
    repairs: Counter[str] = field(default_factory=Counter)
    looks: int = 0

    @property
    def is_cut_short(self) -> bool:
        return bool(self.stopped_after or self.last_step)

    def __call__(self, steps: Sequence[RepairStep]) -> None:
        waiting = {step.name: self._candidates(step) for step in self._behind_the_last(steps)}
        self.last_step = ""
        # A run of another version may have had steps that this version lacks.
        self.stopped_after = {name: key for name, key in self.stopped_after.items() if name in waiting}
        while waiting:
            name = next(chain(filterfalse(self._is_slow, waiting), waiting))
            candidates = waiting.pop(name)
            if self._turn(name, candidates):
                waiting[name] = candidates  # behind the others
            # One look is had by every run.
            if waiting and self.looks and self.clock.now() > self.stop_at:
                self.last_step = name
                return

    def _is_slow(self, name: str) -> bool:
        who = _who(name)
        return who in self.slow or who in self.slow_before

    def _behind_the_last(self, steps: Sequence[RepairStep]) -> Sequence[RepairStep]:
        """The steps in their order, but from the one behind ``last_step`` on."""
        first = next((at for at, step in enumerate(steps, start=1) if step.name == self.last_step), 0)
        return [*steps[first:], *steps[:first]]

    def _candidates(self, step: RepairStep) -> Iterator[Candidate]:
        """Those after the one at which the last run stopped."""
        after = self.stopped_after.get(step.name, "")
        return (candidate for candidate in step.candidates() if candidate.key > after)

    def _turn(self, name: str, candidates: Iterator[Candidate]) -> bool:
        """Look at the next candidate; false if the step is over for this run."""
        candidate = self._next(name, candidates)
        return candidate is not None and self._look(name, candidate)

    def _next(self, name: str, candidates: Iterator[Candidate]) -> Candidate | None:
        began_at = self.clock.now()
        try:
            candidate = next(candidates, None)
        except PipelineError as error:
            # The listing failed. The other steps go on; the next run tries again.
            self._refused(name, error)
            self._note_time(name, began_at)
            return None
        if candidate is None:
            self.stopped_after.pop(name, None)
        return candidate

    def _look(self, name: str, candidate: Candidate) -> bool:
        self.looks += 1
        # Noted before the repair: a candidate that kills this run must not kill the next one.
        self.stopped_after[name] = candidate.key
        began_at, has_failed = self.clock.now(), False
        try:
            self.repairs[name] += candidate.repair()
        except (ConfigurationError, QuotaReached) as error:
            # The key, the region, the account or the quota: the next call would be refused, too.
            self._refused(name, error)
            return False
        except PipelineError as error:
            log.warning("repair.failed", extra={"step": name, "key": candidate.key, "reason": str(error)})
            has_failed = True
        return not (self._note_time(name, began_at) and has_failed)

    def _note_time(self, name: str, began_at: datetime) -> bool:
        """Whether it took too long."""
        is_slow = self.clock.now() - began_at > LONGEST_TURN
        if is_slow:
            self.slow.add(_who(name))
        return is_slow

    def _refused(self, name: str, error: PipelineError) -> None:
        is_for_the_operator = isinstance(error, ConfigurationError) and not isinstance(error, ProviderTrouble)
        # A provider's trouble is no error here: the tickets that wait for its end say it already.
        level = logging.ERROR if is_for_the_operator else logging.WARNING
        log.log(level, "repairs.refused", extra={"step": name, "reason": str(error)})


def _who(step: str) -> str:
    """Its provider, which all steps that ask it wait for, or else the step itself."""
    return step.partition(" ")[2] or step
