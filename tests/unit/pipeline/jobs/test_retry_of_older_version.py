"""A retry that an older version started, and records as if its first attempts were batches."""

from __future__ import annotations

import json
from pathlib import Path

from shared.bucket.attempt import Attempt, retry_job_id_for
from shared.bucket.records.submission import SubmissionKind
from tests.support.builders import JOB
from tests.support.pipeline import Pipeline

RECORDED = Path(__file__).parents[3] / "payloads" / "retry-c94d3d7.json"
RETRY = retry_job_id_for(JOB)


def recorded() -> Pipeline:
    job = Pipeline()
    job.store.objects.clear()
    job.events.clear()
    for key, content in json.loads(RECORDED.read_bytes())["objects"].items():
        job.store.put(key, content.encode())
    return job


def test_its_first_attempts_are_kept_answers() -> None:
    job = recorded()
    plan = job.records.find_plan(RETRY)
    assert plan is not None

    for shard in (1, 2):
        first = Attempt(RETRY, 1, shard)
        submission = job.records.find_submission(first)
        assert submission is not None
        assert submission.kind is SubmissionKind.KEPT
        assert not plan.is_sent(first)
        assert plan.is_sent(first.next_attempt())


def test_it_is_finished_and_only_the_open_row_is_sent() -> None:
    job = recorded()

    job.run_until_done()

    assert job.sent() == ["b"]
    assert job.statuses() == ["answered"] * 4
    ledger = job.report()
    assert (ledger.job_id, ledger.retries, ledger.adds_up) == (RETRY, 1, True)
    assert len(ledger.batches) == 3
