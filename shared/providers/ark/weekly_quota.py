"""The quota of jobs that a project may create in 7 days, as far as the operator has told it."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from itertools import islice, takewhile

from shared.problems.exceptions import ProviderRejected, QuotaReached
from shared.providers.ark.api import ArkApi
from shared.providers.ark.troubles import JOB_QUOTA_USED_UP

log = logging.getLogger(__name__)

_WEEK = timedelta(days=7)


def require_room(api: ArkApi, weekly_jobs: int, now: datetime) -> None:
    """Ask before a shard is staged for nothing, and to tell people when it goes on.

    Raises:
        QuotaReached: The project has created so many jobs in the last 7 days.
    """
    try:
        recent = takewhile(lambda job: job.created_at > now - _WEEK, api.newest())
        counted = [*islice(recent, weekly_jobs)]
    except ProviderRejected as refusal:
        log.warning("quota.unknown", extra={"reason": str(refusal)})
        return  # Ark itself will tell
    if len(counted) == weekly_jobs:
        room_at = counted[-1].created_at + _WEEK
        raise QuotaReached(
            f"its list has {weekly_jobs} jobs of the last 7 days, as many as ARK_WEEKLY_JOBS allows; "
            f"the next one can be created at {room_at:%Y-%m-%d %H:%M} UTC",
            JOB_QUOTA_USED_UP,
        )
