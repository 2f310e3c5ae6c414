"""A job of 400 shards, simulated: no more calls than ``scripts.template.durations`` names."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from scripts.template import durations
from scripts.template.check import ROOT
from shared.bucket.attempt import Attempt
from shared.bucket.keys import Stage, open_job_key
from shared.pipeline.deadlines import SHARE_TO_REPAIR, SHORTEST_TICK
from shared.pipeline.jobs.start_job import StartJob
from tests.support.builders import JOB
from tests.support.pipeline import Cut, Pipeline

_OF_PROVIDER = {"submit", "status", "results", "clean_up", "find", "cancel", "unused_files"}


class Counted(Cut):
    """Counts the calls of one invocation, and lets each take its time on the clock."""

    def __init__(self, job: Pipeline) -> None:
        super().__init__()
        self.store = self.provider = 0
        self._clock = job.clock

    def call(self, what: str, _about: str) -> None:
        is_of_provider = what in _OF_PROVIDER
        self.provider += is_of_provider
        self.store += not is_of_provider
        self._clock.advance(timedelta(seconds=0.2 if is_of_provider else 0.02))


@pytest.fixture(scope="module")
def made() -> tuple[Counter[str], list[timedelta]]:
    """The most calls of the store that any invocation made, and how long the timer's runs took."""
    job = Pipeline(shards=tuple((f"row-{number}",) for number in range(durations.SHARDS)))
    most: Counter[str] = Counter()
    for attempt in job.attempts(Stage.READY):
        job.records.drop_ticket(Stage.READY, attempt)
    counted = Counted(job)
    with job._cut_by(counted):
        StartJob(job.store, job.clock)(job.plan)
    most["tickets"] = counted.store
    for attempt in job.attempts(Stage.READY):
        counted = Counted(job)
        job.submit(attempt, counted)
        most["submit"] = max(most["submit"], counted.store)
    runs = _watched(job, most)
    batches = {
        job.provider.batches[each].request.metadata["batchdrop"]: each for each in job.provider.batches
    }
    for number in range(1, durations.SHARDS + 1):
        attempt, counted = Attempt(JOB, 1, number), Counted(job)
        job.end_batch(batches[str(attempt)])
        job.collect(attempt, counted)
        step = "collect" if number < durations.SHARDS else "close"
        most[step] = max(most[step], counted.store)
    assert job.statuses() == ["answered"] * durations.SHARDS
    return most, runs


def _watched(job: Pipeline, most: Counter[str]) -> list[timedelta]:
    """Let the timer come an hour later, until each of the batches was polled."""
    job.store.put(open_job_key(JOB), b"")
    job.clock.advance(timedelta(hours=1))
    overdue_since = job.clock.now()
    budget = timedelta(seconds=durations.timeouts()["Reconcile"]) * SHARE_TO_REPAIR
    runs = []
    while any(head.modified_at < overdue_since for head in job.store.list(Stage.RUNNING.value)):
        began_at, counted = job.clock.now(), Counted(job)
        with job._cut_by(counted):
            job.functions.reconcile(budget)
        runs.append(job.clock.now() - began_at)
        most["poll"] += counted.store
        job.clock.set(max(began_at + SHORTEST_TICK, job.clock.now()))
    return runs


@pytest.mark.parametrize(
    ("step", "reckoned"),
    [
        ("tickets", durations.TICKET_CALLS),
        ("submit", durations.SUBMIT_CALLS),
        ("collect", durations.COLLECT_CALLS),
        ("close", durations.CLOSE_CALLS + durations.COLLECT_CALLS),
        ("poll", durations.POLL_CALLS),
    ],
)
def test_no_step_of_a_job_of_400_shards_makes_more_calls_than_are_reckoned(
    made: tuple[Counter[str], list[timedelta]], step: str, reckoned: int
) -> None:
    most, _ = made

    assert 0.9 * reckoned <= most[step] <= reckoned


def test_the_timer_sees_to_400_batches_in_a_few_runs_and_each_is_done_before_the_next(
    made: tuple[Counter[str], list[timedelta]],
) -> None:
    _, runs = made

    assert len(runs) <= 4
    assert max(runs) < SHORTEST_TICK


def test_what_does_not_grow_with_the_job_is_within_its_time_out_on_any_network() -> None:
    allowed = durations.timeouts()

    for step in (each for each in durations.steps() if not each.share):
        slowest = step.seconds(min(durations.NETWORKS))
        assert step.of_job or slowest <= allowed[step.function], step
        assert step.seconds(max(durations.NETWORKS)) <= allowed[step.function], step


def test_the_page_shows_the_table_as_it_is() -> None:
    page = (ROOT / "functions" / "README.md").read_text(encoding="utf-8")

    assert durations.table() in page
