"""Whole jobs at the local Ark over the local TOS, however odd it is: from a table to its result."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from scripts.localcloud.answers.faults import CallFault
from scripts.localcloud.ark.jobs.job_faults import JobFault
from shared.bucket.attempt import Attempt, JobId, parse_attempt
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.records.ledger import Ledger
from shared.events.oss import UploadedObject
from shared.providers.ark.profile import ARK
from tests.support.ark import ArkOnThisMachine, ended, local_ark
from tests.support.fakes import FixedClock, MemoryStore
from tests.support.functions import BUCKET_NAME, LATE, Functions

RECIPE = b"""
provider: ark
model: doubao-seed-2-1-pro-260628
prompt: "{{ text }}"
completion_window: 36h
"""


class Bench:
    """A home bucket in memory, and Ark beside it."""

    def __init__(self, on: ArkOnThisMachine) -> None:
        self.on = on
        self.clock = FixedClock()
        self.store = MemoryStore(self.clock)
        self.functions = Functions(self.store, on.provider, self.clock, profile=ARK)
        self.said: list[str] = []

    def drop(self, *texts: str) -> None:
        self.store.put("inbox/batch.yaml", RECIPE)
        self.store.put("inbox/t.csv", "\n".join(["text", *texts, ""]).encode())
        upload = UploadedObject(BUCKET_NAME, "inbox/t.csv", self.store.head("inbox/t.csv").etag)
        assert self.functions.validate(upload, "run") == "planned"

    def run(self) -> Ledger:
        """Let every function do what its tickets say until the job is closed."""
        for step in range(60):
            for attempt in self._tickets("ready/"):
                self.said.append(self.functions.submit(attempt).value)
            for attempt in self._tickets("running/"):
                submission = BucketRecords(self.store).find_submission(attempt)
                assert submission
                ended(self.on, submission.batch_id)
                BucketRecords(self.store).put_finished(attempt, "test")
                self.said.append(self.functions.collect(attempt, f"run-{step}").value)
            ledger = BucketRecords(self.store).find_ledger(self._job_id)
            if ledger:
                return ledger
            self.clock.advance(LATE / 4)
        raise AssertionError(self.said)

    def rows(self) -> dict[str, tuple[str, str]]:
        """By the text of a row: its status, and its answer or its code."""
        key = next(key for key in self.store.keys("results/") if key.endswith(".csv"))
        table = csv.DictReader(io.StringIO(self.store.get(key).decode("utf-8-sig")))
        return {row["text"]: (row["status"], row["content"] or row["error_code"]) for row in table}

    @property
    def _job_id(self) -> JobId:
        return JobId(
            next(key for key in self.store.keys("jobs/") if key.endswith("/plan.json")).split("/")[-2]
        )

    def _tickets(self, stage: str) -> Iterator[Attempt]:
        for key in self.store.keys(stage):
            attempt = parse_attempt(key.removeprefix(stage))
            assert attempt
            yield attempt


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with local_ark(tmp_path) as on:
        yield Bench(on)


def test_a_table_comes_back_with_answers_and_nothing_is_left_in_tos(bench: Bench) -> None:
    bench.drop("你好", "bye", "[[refuse:400]]")

    ledger = bench.run()

    assert ledger.adds_up
    assert ledger.by_status == {"answered": 2, "refused": 1}
    rows = bench.rows()
    assert rows["你好"][1].endswith("你好")
    assert rows["[[refuse:400]]"] == ("refused", "InvalidParameter")
    assert bench.on.objects("") == []
    assert [job.window_days for job in bench.on.jobs] == [2]


TEXTS = ("one", "two", "three", "four")


@pytest.mark.parametrize(
    ("faults", "by_status", "jobs"),
    [
        ([{"http_headers": True}], {"answered": 4}, 1),
        ([{"errors_beside_results": True}], {"answered": 4}, 1),
        ([{"late_gets": 5}], {"answered": 4}, 1),
        ([{"repeat_lines": 2}], {"answered": 4}, 1),
        ([{"outcome": "expire", "after_rows": 1}], {"answered": 4}, 2),
        ([{"outcome": "expire", "after_rows": 3, "late_gets": 4}], {"answered": 4}, 2),
        ([{"outcome": "expire", "after_rows": 3, "no_files_after_stop": True}], {"answered": 4}, 2),
        ([{"outcome": "stop", "after_rows": 3, "late_gets": 4}], {"answered": 3, "cancelled": 1}, 1),
        ([{"missing_results": True}], {"answered": 4}, 2),
        ([{"lose_lines": 1}], {"answered": 4}, 2),
        ([{"bad_line": 2}], {"answered": 3, "refused": 1}, 2),
        ([{"outcome": "fail", "fail_message": "系统内部错误"}], {"answered": 4}, 2),
        ([{"outcome": "fail", "fail_message": "输入文件不存在"}], {"answered": 4}, 2),
        ([{"outcome": "fail", "fail_message": "文件格式错误"}], {"refused": 4}, 1),
        ([{"outcome": "fail", "fail_message": "账号欠费"}], {"answered": 4}, 2),
        ([{"outcome": "fail", "fail_message": "超过任务配额"}] * 2, {"answered": 4}, 3),
    ],
)
def test_each_row_comes_to_one_end_however_odd_ark_is(
    bench: Bench, faults: list[dict[str, Any]], by_status: dict[str, int], jobs: int
) -> None:
    bench.on.ark.faults.add(*(JobFault(**fault) for fault in faults))
    bench.drop(*TEXTS)

    ledger = bench.run()

    assert ledger.adds_up
    assert (ledger.by_status, len(bench.on.jobs)) == (by_status, jobs)
    assert bench.on.objects("") == []


def test_a_bad_line_is_named_in_its_rows_reason(bench: Bench) -> None:
    bench.on.ark.faults.add(JobFault(bad_line=2))
    bench.drop(*TEXTS)

    bench.run()

    assert bench.rows()["two"] == ("refused", "input_check_failed")


def test_a_weekly_quota_only_makes_a_job_wait(bench: Bench) -> None:
    fault = {"status": 429, "code": "QuotaExceeded.BatchInferenceJob", "message": "500 in 7 days"}
    bench.on.ark.faults.add(CallFault(route="CreateBatchInferenceJob", times=3, **fault))
    bench.drop(*TEXTS)

    ledger = bench.run()

    assert ledger.by_status == {"answered": 4}
    assert bench.said.count("waiting") >= 3
    assert len(bench.on.jobs) == 1


def test_a_lost_answer_to_a_create_costs_no_second_job(bench: Bench) -> None:
    bench.on.ark.faults.add(JobFault(cut_connection=True))
    bench.drop(*TEXTS)
    (attempt,) = bench._tickets("ready/")
    with pytest.raises(Exception, match="no usable answer"):
        bench.functions.submit(attempt)
    bench.clock.advance(timedelta(hours=1))

    assert bench.run().by_status == {"answered": 4}
    assert len(bench.on.jobs) == 1
