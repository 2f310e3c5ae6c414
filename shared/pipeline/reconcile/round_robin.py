"""Shares the time of one timer run among its repairs, and says where the next run goes on."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from shared.pipeline.reconcile.step import Candidate, RepairStep
from shared.ports.clock import Clock
from shared.problems.exceptions import ConfigurationError, PipelineError, ProviderTrouble, QuotaReached

log = logging.getLogger(__name__)


@dataclass
class RoundRobin:
    """One candidate of each step in turn: a step with thousands must not starve the others.

    Nor must one whose every turn takes all the time, as with a provider that does not answer: the
    next run begins with the step behind it.

    Attributes:
        stop_at: No turn begins after it. The last turn may end later.
        stopped_after: By step, the key after which the next run goes on. Finished steps are absent.
        last_step: The one that had the last turn of a run that ran out of time.
        repairs: By step, how many candidates needed repair.
        looks: How many candidates had their turn.
    """

    clock: Clock
    stop_at: datetime
    stopped_after: dict[str, str]
    last_step: str = ""
    repairs: Counter[str] = field(default_factory=Counter)
    looks: int = 0

    @property
    def is_cut_short(self) -> bool:
        return bool(self.stopped_after)

    def __call__(self, steps: Sequence[RepairStep]) -> None:
        waiting = {step.name: self._candidates(step) for step in self._behind_the_last(steps)}
        self.last_step = ""
        # A run of another version may have had steps that this version lacks.
        self.stopped_after = {name: key for name, key in self.stopped_after.items() if name in waiting}
        while waiting:
            for name, candidates in tuple(waiting.items()):
                candidate = self._next(name, candidates)
                if candidate is None or not self._look(name, candidate):
                    del waiting[name]
                elif self.clock.now() > self.stop_at:
                    self.last_step = name
                    return

    def _behind_the_last(self, steps: Sequence[RepairStep]) -> Sequence[RepairStep]:
        """The steps in their order, but from the one behind ``last_step`` on."""
        first = next((at for at, step in enumerate(steps, start=1) if step.name == self.last_step), 0)
        return [*steps[first:], *steps[:first]]

    def _candidates(self, step: RepairStep) -> Iterator[Candidate]:
        """Those after the one at which the last run stopped."""
        after = self.stopped_after.get(step.name, "")
        return (candidate for candidate in step.candidates() if candidate.key > after)

    def _next(self, name: str, candidates: Iterator[Candidate]) -> Candidate | None:
        try:
            candidate = next(candidates, None)
        except PipelineError as error:
            # The listing failed. The other steps go on; the next run tries again.
            self._refused(name, error)
            return None
        if candidate is None:
            self.stopped_after.pop(name, None)
        return candidate

    def _look(self, name: str, candidate: Candidate) -> bool:
        """Give it its turn; false if the step is over for this run."""
        self.looks += 1
        # Noted before the repair: a candidate that kills this run must not kill the next one.
        self.stopped_after[name] = candidate.key
        try:
            self.repairs[name] += candidate.repair()
        except (ConfigurationError, QuotaReached) as error:
            # The key, the region, the account or the quota: the next call would be refused, too.
            self._refused(name, error)
            return False
        except PipelineError as error:
            log.warning("repair.failed", extra={"step": name, "key": candidate.key, "reason": str(error)})
        return True

    def _refused(self, name: str, error: PipelineError) -> None:
        is_for_the_operator = isinstance(error, ConfigurationError) and not isinstance(error, ProviderTrouble)
        # A provider's trouble is no error here: the tickets that wait for its end say it already.
        level = logging.ERROR if is_for_the_operator else logging.WARNING
        log.log(level, "repairs.refused", extra={"step": name, "reason": str(error)})
