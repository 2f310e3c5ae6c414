"""How long an open job may take, from how long jobs like it took."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from itertools import islice

from shared.board.model import Estimate
from shared.bucket.history import duration_s_in, history_prefix
from shared.bucket.records.plan import Plan
from shared.ports.store import ObjectStore

# Of fewer nothing can be said; of more, the older ones say less about today.
MIN_JOBS = 3
MAX_JOBS = 20


class Estimates:
    """Costs one listing for each folder, provider, model and size, however many jobs there are."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._known: dict[str, Estimate | None] = {}

    def __call__(self, plan: Plan) -> Estimate | None:
        """``None`` of a retry, which sends a part of its rows, and where too few are known."""
        if plan.retry_of:
            return None
        prefix = history_prefix(plan)
        if prefix not in self._known:
            self._known[prefix] = _estimate_from(list(islice(self._durations_s(prefix), MAX_JOBS)))
        return self._known[prefix]

    def _durations_s(self, prefix: str) -> Iterator[int]:
        durations = (duration_s_in(head.key) for head in self._store.list(prefix))
        return (each for each in durations if each is not None)


def _estimate_from(durations_s: list[int]) -> Estimate | None:
    if len(durations_s) < MIN_JOBS:
        return None
    # Inclusive: no value is slower than the slowest job.
    slow_s = statistics.quantiles(durations_s, n=10, method="inclusive")[-1]
    return Estimate(
        typical_s=round(statistics.median(durations_s)), slow_s=round(slow_s), jobs=len(durations_s)
    )
