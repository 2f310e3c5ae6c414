"""Shares the time of one run of the timer among its repairs, and says where the next run goes on."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from shared.pipeline.reconcile.step import Candidate, RepairStep
from shared.ports.clock import Clock
from shared.problems.exceptions import ConfigurationError, PipelineError, ProviderTrouble, QuotaReached

log = logging.getLogger(__name__)


@dataclass
class RoundRobin:
    """One candidate of each step in turn, so that a step with thousands of them does not starve the others.

    Attributes:
        stop_at: No turn begins after it; the last one may end later, by as much as its calls take.
        stopped_after: By step, the key after which the next run goes on; of a step that is done, nothing.
        repairs: By step, how many needed repair.
        looks: How many had their turn.
    """

    clock: Clock
    stop_at: datetime
    stopped_after: dict[str, str]
    repairs: Counter[str] = field(default_factory=Counter)
    looks: int = 0

    @classmethod
    def until(cls, stop_at: datetime, clock: Clock, stopped_after: Mapping[str, str]) -> RoundRobin:
        """Prepare a run that goes on where another one stopped."""
        return cls(clock, stop_at, dict(stopped_after))

    @property
    def is_cut_short(self) -> bool:
        return bool(self.stopped_after)

    def __call__(self, steps: Sequence[RepairStep]) -> None:
        waiting = {step.name: self._candidates(step) for step in steps}
        # What a run of another version left for a step that there is no more.
        self.stopped_after = {name: key for name, key in self.stopped_after.items() if name in waiting}
        while waiting:
            for name, candidates in tuple(waiting.items()):
                candidate = self._next(name, candidates)
                if candidate is None or not self._look(name, candidate):
                    del waiting[name]
                elif self.clock.now() > self.stop_at:
                    return

    def _candidates(self, step: RepairStep) -> Iterator[Candidate]:
        """Those after the last one that had its turn, as far back as a run ago."""
        after = self.stopped_after.get(step.name, "")
        return (candidate for candidate in step.candidates() if candidate.key > after)

    def _next(self, name: str, candidates: Iterator[Candidate]) -> Candidate | None:
        try:
            candidate = next(candidates, None)
        except PipelineError as error:
            # The listing: the next run tries it again, and the other steps may do better.
            self._refused(name, error)
            return None
        if candidate is None:
            self.stopped_after.pop(name, None)
        return candidate

    def _look(self, name: str, candidate: Candidate) -> bool:
        """Give it its turn; false if the step is over for this run."""
        self.looks += 1
        # Noted before: one that breaks this run must not break the next one, too.
        self.stopped_after[name] = candidate.key
        try:
            self.repairs[name] += candidate.repair()
        except (ConfigurationError, QuotaReached) as error:
            # The key, the region, the account or the quota: the next one would be refused the same way.
            self._refused(name, error)
            return False
        except PipelineError as error:
            log.warning("repair.failed", extra={"step": name, "key": candidate.key, "reason": str(error)})
        return True

    def _refused(self, name: str, error: PipelineError) -> None:
        is_for_the_operator = isinstance(error, ConfigurationError) and not isinstance(error, ProviderTrouble)
        # The provider's trouble stands in the tickets that wait for its end; a ticket says it better than a log.
        level = logging.ERROR if is_for_the_operator else logging.WARNING
        log.log(level, "repairs.refused", extra={"step": name, "reason": str(error)})
