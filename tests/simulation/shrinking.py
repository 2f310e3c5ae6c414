"""Finds the fewest faults that still break a run, so that a person can read why."""

from __future__ import annotations

import re
from collections.abc import Callable

from tests.simulation.run import Run

Simulate = Callable[[list[int]], Run]

_NAMES = re.compile(r"'[^']*'|\b\w*\d\w*\b")


def shrink(failing: Run, simulate: Simulate, tries: int = 400) -> Run:
    """The shortest run that fails in the same way, which leaving out faults leads to.

    Whole halves are left out first, then ever smaller pieces, as in Zeller's ddmin
    (https://doi.org/10.1109/32.988498). What is left after ``tries`` runs is good enough.
    """
    best, size = failing, max(len(failing.faults) // 2, 1)
    while tries > 0:
        kept = [fault.index for fault in best.faults]
        for start in range(0, len(kept), size):
            tries -= 1
            run = simulate(kept[:start] + kept[start + size :])
            if _kinds(run) & _kinds(failing):
                best = run
                break
            if tries <= 0:
                break
        else:
            if size == 1:
                return best
            size = max(size // 2, 1)
            continue
        size = min(size, max(len(best.faults) // 2, 1))
    return best


def _kinds(run: Run) -> set[str]:
    """What is wrong, without the names of jobs and rows."""
    return {_NAMES.sub("#", failure) for failure in run.failures}
