"""Killed in the middle: a function whose create has reached Ark, and the local Ark itself."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from scripts.localcloud.answers.faults import CallFault
from shared.bucket.attempt import Attempt, JobId
from shared.bucket.bucket_records import BucketRecords
from shared.pipeline.submit.submit_shard import SubmitShard
from shared.ports.clock import Clock
from shared.ports.provider import BatchId, BatchProvider, BatchStatus
from shared.ports.providers import Provider, Providers
from shared.ports.store import ObjectStore
from shared.providers.ark.profile import ARK
from shared.runtime.system_clock import SystemClock
from tests.support.ark import (
    ARK_MODEL,
    ArkOnThisMachine,
    ark_line,
    ark_request,
    ended,
    local_ark,
    open_adapter,
    open_staging,
)
from tests.support.bailian_requests import wait_for
from tests.support.builders import plan_job
from tests.support.fakes import FixedClock
from tests.support.processes import started

ROOT = Path(__file__).parents[2]
LEASE = timedelta(minutes=15)
SHARDS = 3


def submitter(store: ObjectStore, batches: BatchProvider, clock: Clock) -> SubmitShard:
    return SubmitShard(store, Providers(Provider(ARK, batches)), clock, LEASE, lambda _: None)


def submit_in(proxy: str, ark_url: str, job_id: str, shard: str) -> None:
    """The function that is killed."""
    store = open_staging(proxy)
    submitter(store, open_adapter(ark_url, store), SystemClock())(Attempt(JobId(job_id), 1, int(shard)))


def serve_in(directory: str) -> None:
    """The service that is killed."""
    with local_ark(Path(directory), job_delay_s=20) as on:
        sys.stdout.write(f"{on.tos.proxy} {on.ark.url}\n")
        sys.stdout.flush()
        threading.Event().wait()


@contextmanager
def process(function: Callable[..., None], *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """It runs until the block ends, and is killed then."""
    command = [sys.executable, "-m", "tests.contract.test_ark_killed", function.__name__, *arguments]
    with started(command) as running:
        yield running


def kill_after_create(on: ArkOnThisMachine, attempt: Attempt) -> None:
    """Start a process that submits, and kill it when Ark has the job and has not answered."""
    known = len(on.jobs)
    on.ark.faults.add(CallFault(route="CreateBatchInferenceJob", status=None, after=True, delay_s=8))
    with process(submit_in, on.tos.proxy, on.ark.url, attempt.job_id, str(attempt.shard)) as killed:
        wait_for(lambda: len(on.jobs) > known or killed.poll() is not None)
    assert killed.returncode == -signal.SIGKILL
    assert len(on.jobs) == known + 1


@pytest.mark.parametrize("has_ended", [False, True])
def test_there_are_as_many_jobs_as_attempts(on: ArkOnThisMachine, *, has_ended: bool) -> None:
    """Also if the job has ended by then, and nothing at Ark guards against a second one."""
    on.ark.faults.paused = not has_ended
    clock = FixedClock(SystemClock().now())
    plan = plan_job(on.store, clock, [[f"row-{n}"] for n in range(SHARDS)], model=ARK_MODEL, provider="ark")
    attempts = [Attempt(plan.job_id, 1, shard.shard) for shard in plan.shards]
    submit = submitter(on.store, on.provider, clock)

    for attempt in attempts:
        kill_after_create(on, attempt)
        assert submit(attempt).value == "claimed"
    if has_ended:
        wait_for(lambda: all(job.is_terminal for job in on.jobs))
    clock.advance(LEASE * 2)

    assert [submit(attempt).value for attempt in attempts] == ["submitted"] * SHARDS
    submissions = [BucketRecords(on.store).find_submission(attempt) for attempt in attempts]
    assert [found and found.batch_id for found in submissions] == [job.id for job in on.jobs]
    assert len({job.name for job in on.jobs}) == len(on.jobs) == SHARDS


def answered_of(provider: BatchProvider, batch_id: BatchId) -> int:
    state = provider.status(batch_id)
    return state.requests_completed if state else 0


def test_a_service_that_is_killed_goes_on_with_what_it_has(tmp_path: Path) -> None:
    rows = [f"row-{number:03d}" for number in range(600)]
    with process(serve_in, str(tmp_path)) as killed:
        assert killed.stdout
        proxy, ark_url = killed.stdout.readline().split()
        store = open_staging(proxy)
        before = open_adapter(ark_url, store)
        batch_id = before.submit(ark_request("job", *map(ark_line, rows)))
        queued = [before.submit(ark_request(f"queued-{number}")) for number in range(4)]
        answered = wait_for(lambda: count if (count := answered_of(before, batch_id)) > 20 else 0)

    with local_ark(tmp_path) as on:
        state = ended(on, batch_id)

        assert 20 < answered < len(rows)
        assert state.status is BatchStatus.COMPLETED
        assert sorted(json.loads(line)["custom_id"] for line in on.provider.results(state)) == rows
        assert {ended(on, each).status for each in queued} == {BatchStatus.COMPLETED}
        assert [on.provider.find(f"queued-{number}") for number in range(4)] == queued


if __name__ == "__main__":
    {"submit_in": submit_in, "serve_in": serve_in}[sys.argv[1]](*sys.argv[2:])
