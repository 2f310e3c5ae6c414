"""One run, named by its seed."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from tests.simulation.checks import failures, is_settled
from tests.simulation.faults import Fault, Faults
from tests.simulation.installations import installation_of
from tests.simulation.kernel import MOST_CALLS, Kernel, RunawayError
from tests.simulation.people import DroppedFile, people_of, shard_limits
from tests.simulation.pipeline import Pipeline
from tests.simulation.remembering import remembering

_HOUR_S = 3600.0
_DAY_S = 24 * _HOUR_S
# Longer than any deadline: three times a window, its grace, and the time until a batch that never
# ends is given up.
_STUCK_AFTER_S = 20 * _DAY_S


@dataclass(frozen=True)
class Run:
    """The outcome of one seed; ``surprises`` are the failures with an error that we never raise."""

    seed: int
    failures: tuple[str, ...]
    surprises: tuple[str, ...]
    faults: tuple[Fault, ...]
    invocations: Counter[str]
    batches: int
    virtual_s: float
    trace: tuple[str, ...] = field(default=(), repr=False)

    def counted_faults(self) -> Counter[str]:
        return Counter(fault.kind for fault in self.faults)


def simulate(
    seed: int,
    allowed: Collection[int] | None = None,
    *,
    traced: bool = False,
    most_calls: int = MOST_CALLS,
) -> Run:
    """Run one seed to its end and check it.

    Args:
        seed: Decides everything that happens.
        allowed: The indices of the only faults that may strike, to replay a run with fewer.
        traced: Keep every call of a port, in words.
        most_calls: Of ports; a run with more has no end.
    """
    with remembering():
        return _simulate(seed, allowed, [] if traced else None, most_calls)


def _simulate(seed: int, allowed: Collection[int] | None, trace: list[str] | None, most_calls: int) -> Run:
    faults = Faults(seed, allowed)
    kernel = Kernel(seed, faults, trace, most_calls)
    pipeline = Pipeline(kernel, seed, shard_limits(seed), installation_of(seed))
    files = people_of(seed, pipeline)
    pipeline.start_timer()
    kernel.at(random.Random(f"calm {seed}").choice((0.5, 2, 6, 16)) * _HOUR_S, pipeline.calm_down)
    try:
        kernel.run(lambda: _is_over(pipeline, files))
        found = failures(pipeline, files)
    except RunawayError as error:
        found = [f"no end: {error}"]
    return Run(
        seed,
        tuple(found),
        tuple(pipeline.surprises),
        tuple(faults.struck),
        pipeline.invocations,
        len(pipeline.batches),
        kernel.now_s,
        tuple(trace or ()),
    )


def _is_over(pipeline: Pipeline, files: Sequence[DroppedFile]) -> bool:
    if not pipeline.kernel.faults.are_over:
        return False
    is_stuck = pipeline.kernel.now_s > pipeline.calm_s + _STUCK_AFTER_S
    return is_stuck or (not pipeline.has_work and is_settled(pipeline, files))
