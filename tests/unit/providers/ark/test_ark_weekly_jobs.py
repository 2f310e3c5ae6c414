"""How many jobs a project may create in 7 days, where the operator has told it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import pytest

from shared.ports.provider import BatchRequest
from shared.problems.exceptions import PipelineError, QuotaReached, TransientError
from shared.providers.ark.client import Ark
from shared.providers.ark.staging import Staging
from shared.providers.ark.wire import Job
from tests.support.bailian_requests import batch_request
from tests.support.fakes import MemoryStore

NOW = datetime(2026, 11, 27, 9, 0, tzinfo=timezone.utc)


class Api(SimpleNamespace):
    """A project with jobs of these ages in days, the newest first, of whatever name."""

    def __init__(self, *ages: float | str, refusal: PipelineError | None = None) -> None:
        super().__init__(created=0, listed=0)
        self._ages, self._refusal = ages, refusal

    def newest(self) -> Iterator[Job]:
        if self._refusal:
            raise self._refusal
        for age in self._ages:
            self.listed += 1
            at = age if isinstance(age, str) else (NOW - timedelta(days=age)).isoformat()
            yield Job.model_validate({"Id": f"bi-{self.listed}", "CreateTime": at})

    def create(self, _job: Any, **_: Any) -> str:
        self.created += 1
        return "bi-20261127090000-aaaaa"


def submit(api: Any, weekly_jobs: int | None) -> None:
    staging = Staging(MemoryStore(), "bucket", "batchdrop/", lambda: NOW)
    Ark(api, staging, weekly_jobs).submit(request("job"))


def request(name: str) -> BatchRequest:
    return batch_request(name, b"{}\n", model="doubao")


@pytest.mark.parametrize(
    ("weekly_jobs", "ages"),
    [
        (None, [0.1] * 9),
        (3, []),
        (3, [0.1, 6.9]),
        (3, [0.1, 6.9, 7.1, 7.2]),
        (1, [7.01]),
        (2, [0.1, "soon"]),
    ],
)
def test_a_job_is_created_while_there_is_room(weekly_jobs: int | None, ages: list[Any]) -> None:
    api = Api(*ages)

    submit(api, weekly_jobs)

    assert api.created == 1


@pytest.mark.parametrize(("weekly_jobs", "ages"), [(1, [0.0]), (3, [0.1, 0.2, 6.0]), (2, [1, 6, 6.5, 6.9])])
def test_none_is_created_where_there_is_none(weekly_jobs: int, ages: list[float]) -> None:
    api = Api(*ages)

    with pytest.raises(QuotaReached) as refusal:
        submit(api, weekly_jobs)

    assert api.created == 0
    assert api.listed == weekly_jobs
    room_at = NOW - timedelta(days=ages[weekly_jobs - 1]) + timedelta(days=7)
    assert f"{room_at:%Y-%m-%d %H:%M} UTC" in str(refusal.value)
    assert "ARK_WEEKLY_JOBS" in str(refusal.value)


def test_the_list_is_read_again_when_there_is_room_and_not_for_each_shard_that_waits() -> None:
    api, now = Api(0.1, 0.2, 6.0), NOW
    adapter = Ark(api, Staging(MemoryStore(), "bucket", "batchdrop/", lambda: now), weekly_jobs=3)  # type: ignore[arg-type]

    for number in range(5):
        with pytest.raises(QuotaReached, match="2026-11-28 09:00 UTC"):
            adapter.submit(request(f"job{number}"))
    now += timedelta(days=1)
    adapter.submit(request("job"))

    assert (api.created, api.listed) == (1, 3 + 3)


def test_a_list_that_does_not_come_now_is_asked_for_again() -> None:
    api = Api(refusal=TransientError("no answer"))

    with pytest.raises(TransientError):
        submit(api, 3)

    assert api.created == 0
