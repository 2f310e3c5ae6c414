"""In which order shards that wait for a slot get one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime

from shared.bucket.attempt import Attempt, JobId


def fair_order(waiting: Mapping[Attempt, datetime], in_flight: Mapping[JobId, int]) -> list[Attempt]:
    """Order by how many shards of the same job come before, then by arrival.

    So a job of one shard goes before the hundredth of a huge one, and two huge jobs get half each.

    Args:
        waiting: Since when each shard waits.
        in_flight: How many shards of a job have a batch already; they count as having come before.
    """
    ranks: Counter[JobId] = Counter(in_flight)
    ranked: list[tuple[int, datetime, str, Attempt]] = []
    for arrived_at, name, attempt in sorted(
        (arrived_at, str(attempt), attempt) for attempt, arrived_at in waiting.items()
    ):
        ranked.append((ranks[attempt.job_id], arrived_at, name, attempt))
        ranks[attempt.job_id] += 1
    return [attempt for *_, attempt in sorted(ranked)]
