"""The quota of jobs that a project may create in 7 days, as far as the operator has told it."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta, timezone
from itertools import islice, takewhile

from shared.problems.exceptions import ProviderRejected, QuotaReached
from shared.providers.ark.api import ArkApi
from shared.providers.ark.troubles import JOB_QUOTA_USED_UP

log = logging.getLogger(__name__)

_WEEK = timedelta(days=7)
_ANY_TIME = datetime.min.replace(tzinfo=timezone.utc)


class WeeklyQuota:
    """Asked before a shard is staged for nothing, and to tell people when it goes on.

    Once it is used up, nobody has to list thousands of jobs again for each shard that waits: until
    the oldest job that counts is a week old, there is no room.
    """

    def __init__(self, api: ArkApi, jobs: int | None) -> None:
        self._api = api
        self._jobs = jobs
        self._room_at = _ANY_TIME

    def require_room(self, now: datetime) -> None:
        """Check the quota.

        Raises:
            QuotaReached: The project has created so many jobs in the last 7 days.
        """
        if self._jobs and now >= self._room_at:
            self._room_at = self._when_there_is_room(self._jobs, now)
        if now < self._room_at:
            raise QuotaReached(
                f"its list has {self._jobs} jobs of the last 7 days, as many as ARK_WEEKLY_JOBS allows; "
                f"the next one can be created at {self._room_at:%Y-%m-%d %H:%M} UTC",
                JOB_QUOTA_USED_UP,
            )

    def _when_there_is_room(self, jobs: int, now: datetime) -> datetime:
        try:
            recent = takewhile(lambda job: job.created_at > now - _WEEK, self._api.newest())
            counted = [*islice(recent, jobs)]
        except ProviderRejected as refusal:
            log.warning("quota.unknown", extra={"reason": str(refusal)})
            return _ANY_TIME  # Ark itself will tell
        return counted[-1].created_at + _WEEK if len(counted) == jobs else _ANY_TIME
