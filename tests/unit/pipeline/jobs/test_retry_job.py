from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import partial
from itertools import count
from typing import Any

import pyarrow.parquet as pq
import pytest
from python_calamine import CalamineWorkbook

from shared.bucket.attempt import Attempt, JobId, retry_job_id_for
from shared.bucket.history import HISTORY
from shared.bucket.keys import Stage, attempt_key, record_key, version_key
from shared.bucket.records.ledger import Ledger
from shared.bucket.records.marks import FirstSeen
from shared.bucket.records.plan import Plan
from shared.bucket.result_names import report_key_for
from shared.pipeline.jobs.close_job import CloseJob
from shared.pipeline.jobs.resume_job import ResumeJob
from shared.pipeline.jobs.start_job import StartJob
from shared.ports.provider import BatchStatus
from shared.results.kept_rows import PartUnreadable
from tests.support.builders import JOB, attempt, plan_job
from tests.support.fake_provider import echo, result_line
from tests.support.fakes import Killed
from tests.support.pipeline import Cut, Meanwhile, Pipeline

RETRY = retry_job_id_for(JOB)
SECOND = retry_job_id_for(RETRY)


class Ending:
    """Ends every batch, answering only some ids; ``after`` its life others may be answered."""

    def __init__(self, job: Pipeline, answered: Iterable[str] = ()) -> None:
        self.job = job
        self.answered = set(answered)

    def __call__(self) -> None:
        for each in self.job.provider.submissions:
            state = self.job.provider.status(each.batch_id)
            if state and not state.status.is_terminal:
                self.job.provider.answer_all(each.batch_id, BatchStatus.COMPLETED, self._answer)

    def _answer(self, line: dict[str, Any]) -> dict[str, Any] | None:
        return (
            echo(line) if line["custom_id"] in self.answered else result_line(line["custom_id"], status=400)
        )


def closed(answered: Iterable[str], **plan: Any) -> tuple[Pipeline, Ending]:
    """A job that is closed, with answers for some rows and a refusal for the others."""
    job = Pipeline(**plan)
    ending = Ending(job, answered)
    job.drain(ending)
    return job, ending


def plan_of(job: Pipeline, job_id: JobId = RETRY) -> Plan:
    plan = job.records.find_plan(job_id)
    assert plan is not None
    return plan


def test_only_the_unanswered_rows_are_sent_again_and_the_result_is_written_again() -> None:
    job, ending = closed("ac")
    before = job.rows()
    ending.answered.add("b")

    said = job.retry()
    job.drain(ending)

    assert said == "started"
    assert job.sent() == ["a", "b", "c", "b"]
    assert job.statuses() == ["answered"] * 3
    assert [job.rows()[index] for index in (0, 2)] == [before[0], before[2]]


def test_the_ledger_of_a_retry_adds_up_and_counts_what_all_rounds_cost() -> None:
    job, ending = closed("ac", bad=("d",), shards=(("a", "b", "c", "d"),))
    ending.answered.add("b")

    job.retry()
    job.drain(ending)

    ledger = job.report()
    assert (ledger.job_id, ledger.retry_of, ledger.retries) == (RETRY, JOB, 1)
    assert ledger.by_status == {"answered": 3, "refused": 1}
    assert ledger.adds_up
    assert list(ledger.batches) == [each.batch_id for each in job.provider.submissions]
    assert ledger.tokens.total == job.ledger().tokens.total + 0
    assert job.ledger(RETRY).to_report() == job.store.get(report_key_for(job.plan.result_key))
    assert job.ledger().by_status == {"answered": 2, "refused": 2}


def test_where_all_is_answered_nothing_is_written_and_nothing_sent() -> None:
    job, _ = closed("abc", bad=("d",), shards=(("a", "b", "c", "d"),))
    before = dict(job.store.objects)

    said = job.retry()

    assert said == "nothing"
    assert job.store.objects == before


def test_an_open_job_is_not_retried() -> None:
    job = Pipeline()
    before = dict(job.store.objects)

    assert job.retry() == "open"
    assert job.store.objects == before


def test_a_cancelled_job_can_be_retried() -> None:
    job = Pipeline()
    job.cancel()
    job.drain()
    assert job.retry() == "started"

    job.drain(Ending(job, "abc"))

    assert job.statuses() == ["answered"] * 3


def test_a_retry_can_be_cancelled_and_retried_in_its_turn_and_costs_only_what_is_open() -> None:
    job, ending = closed("a")
    job.retry()
    job.collect(Attempt(RETRY, 1, 1))
    job.submit(Attempt(RETRY, 2, 1))
    job.provider.set_results(job.provider.last.batch_id, [echo({"custom_id": "b", "body": {"input": "b"}})])
    job.cancel(RETRY)
    job.drain()
    assert job.statuses() == ["answered", "answered", "cancelled"]
    ending.answered.add("c")

    said = job.retry()
    job.drain(ending)

    assert said == "started"
    assert job.statuses() == ["answered"] * 3
    assert job.sent() == ["a", "b", "c", "b", "c", "c"]
    assert (job.report().job_id, job.report().retries) == (SECOND, 2)
    assert len(job.report().batches) == 3


def test_of_several_shards_only_those_with_open_rows_get_a_batch() -> None:
    job, ending = closed("abcf", shards=(("a", "b"), ("c", "d"), ("e",), ("f",)))
    ending.answered |= set("de")

    job.retry()
    job.drain(ending)

    assert job.sent()[6:] == ["d", "e"]
    assert [row["name"] for row in job.rows()] == [f"row {each}" for each in "abcdef"]
    assert job.statuses() == ["answered"] * 6
    assert job.report().shards == 4


def test_a_retry_has_the_recipes_attempts_once_more() -> None:
    job = Pipeline(attempts=2)

    def lost() -> None:
        for each in job.provider.submissions:
            state = job.provider.status(each.batch_id)
            if state and not state.status.is_terminal:
                job.provider.set_state(each.batch_id, BatchStatus.EXPIRED)

    for batches in (2, 4, 6):
        job.drain(lost)
        assert len(job.provider.submissions) == batches
        assert job.retry() == "started"

    names = [each.request.name for each in job.provider.submissions]
    assert len(set(names)) == 6


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-8", "gb18030"])
def test_bytes_of_answered_rows_are_the_same_in_every_encoding(encoding: str) -> None:
    job, ending = closed("b", encoding=encoding)
    before = job.store.get(job.plan.result_key)

    job.retry()
    job.drain(ending)

    assert job.store.get(job.plan.result_key) == before


def test_the_rows_of_request_lines_are_told_apart_without_a_status_column() -> None:
    job, ending = closed("ac", kind="request_jsonl")
    ending.answered.add("b")

    job.retry()
    job.drain(ending)

    assert job.sent()[3:] == ["b"]
    assert [(row["custom_id"], row["status_code"]) for row in job.rows()] == [(each, "200") for each in "abc"]


def _workbook_rows(content: bytes) -> list[dict[str, Any]]:
    header, *rows = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    return [dict(zip(header, row, strict=True)) for row in rows]


_READERS: dict[str, Callable[[bytes], list[dict[str, Any]]]] = {
    "jsonl": lambda content: [json.loads(line) for line in content.split(b"\n")[:-1]],
    "parquet": lambda content: pq.read_table(io.BytesIO(content)).to_pylist(),
    "xlsx": _workbook_rows,
}


@pytest.mark.parametrize("output_format", ["jsonl", "parquet", "xlsx"])
def test_other_formats_are_retried_alike(output_format: str) -> None:
    job, ending = closed("ac", output_format=output_format, columns={"mood": "mood"})
    ending.answered.add("b")

    job.retry()
    job.drain(ending)

    content = job.store.get(job.plan.result_key)
    rows = _READERS[output_format](content)
    assert [(row["name"], row["status"]) for row in rows] == [(f"row {each}", "answered") for each in "abc"]
    assert job.report().unread_answers == {"answer_not_json": 3}
    assert job.sent()[3:] == ["b"]


def test_a_late_hint_about_the_closed_job_brings_its_older_result_not_back() -> None:
    job, ending = closed("ac")
    ending.answered.add("b")
    job.retry()
    job.drain(ending)
    job.records.put_finished(attempt(), "callback")

    job.collect(attempt())

    assert job.statuses() == ["answered"] * 3
    assert job.report().job_id == RETRY


def test_the_same_file_dropped_again_pays_nothing_and_brings_the_retried_result_back() -> None:
    job, ending = closed("ac", shards=(("a", "b"), ("c",)))
    ending.answered.add("b")
    job.retry()
    job.drain(ending)
    job.store.delete(job.plan.result_key)

    said = ResumeJob(StartJob(job.store, job.clock))(job.plan, job.clock.now())
    job.drain()

    assert said == "result_again"
    assert job.statuses() == ["answered"] * 3
    assert len(job.sent()) == 4


def test_the_same_file_dropped_again_while_a_retry_runs_starts_nothing_twice() -> None:
    job, ending = closed("ac")
    ending.answered.add("b")
    job.retry()
    ResumeJob(StartJob(job.store, job.clock))(job.plan, job.clock.now())
    job.collect(Attempt(RETRY, 1, 1))
    job.submit(Attempt(RETRY, 2, 1))
    ResumeJob(StartJob(job.store, job.clock))(job.plan, job.clock.now())

    job.drain(ending)

    assert job.sent() == ["a", "b", "c", "b"]


def test_a_retry_of_a_version_that_was_replaced_leaves_the_newer_result_alone() -> None:
    job, ending = closed("ac")
    replaced(job)
    ending.answered.add("b")

    job.retry()
    job.drain(ending)
    job.records.put_finished(attempt(), "callback")
    job.collect(attempt())

    assert job.store.get(job.plan.result_key) == b"newer"
    assert job.store.get(f"results/a/names.{JOB}.csv").count(b"answered") == 3


def replaced(job: Pipeline) -> None:
    """A version that was dropped later has its result in place."""
    job.clock.advance(timedelta(hours=1))
    newer = job.report().model_copy(update={"job_id": "f" * 16, "dropped_at": job.clock.now()})
    job.store.put(version_key(job.plan.result_key, job.clock.now(), JobId("f" * 16)), b"")
    job.store.put(report_key_for(job.plan.result_key), newer.to_bytes())
    job.store.put(job.plan.result_key, b"newer")


def test_a_retried_version_that_is_dropped_again_takes_its_place_back() -> None:
    job, ending = closed("ac")
    replaced(job)
    ending.answered.add("b")
    job.retry()
    job.drain(ending)
    job.clock.advance(timedelta(hours=1))

    said = ResumeJob(StartJob(job.store, job.clock))(job.plan, job.clock.now())
    job.drain()

    assert said == "result_again"
    assert job.report().job_id == RETRY
    assert job.statuses() == ["answered"] * 3


def test_a_version_that_was_dropped_again_keeps_its_place_when_it_is_retried() -> None:
    job, _ = closed("ac")
    job.store.put(record_key(JOB, "dropped-again.json"), FirstSeen(seen_at=job.clock.now()).to_bytes())

    job.retry()

    assert plan_of(job).source.dropped_at == job.clock.now()


@pytest.mark.parametrize("seen_s", [None, 0, 1])
def test_a_retry_of_the_older_of_two_versions_of_one_second_does_not_take_the_name(
    seen_s: float | None,
) -> None:
    job, ending = closed("ac")
    newer, source = JobId("f" * 16), job.plan.source
    if seen_s is not None:
        seen_at = source.dropped_at + timedelta(seconds=seen_s)
        job.plan = job.plan.model_copy(update={"source": source.model_copy(update={"seen_at": seen_at})})
    key = version_key(job.plan.result_key, source.dropped_at, newer, source.dropped_at + timedelta(seconds=2))
    job.store.put(key, b"")
    job.store.put(job.plan.result_key, b"newer")
    ending.answered.add("b")

    job.retry()
    job.drain(ending)

    assert job.store.get(job.plan.result_key) == b"newer"
    assert job.store.get(f"results/a/names.{JOB}.csv").count(b"answered") == 3


def test_a_file_that_is_dropped_again_while_its_retry_is_planned_keeps_the_retry_s_result() -> None:
    for calls in count():
        job, ending = closed("ac")
        older = plan_job(job.store, job.clock, job_id=JobId("f" * 16)).model_dump()
        older = Plan(**older | {"result_key": job.plan.result_key, "source": job.plan.source})
        job.store.put(record_key(JobId(older.job_id), "plan.json"), older.to_bytes())
        ending.answered.add("b")
        job.clock.advance(timedelta(hours=1))
        dropped = partial(ResumeJob(StartJob(job.store, job.clock)), job.plan, job.clock.now())
        meanwhile = Meanwhile(calls, dropped)

        job.retry(cut=meanwhile)
        job.drain(ending)

        if meanwhile.left is not None:
            break
        assert job.report().job_id == RETRY
        CloseJob(job.store, job.clock)(older)  # writes again what is newer
        assert job.report().job_id == RETRY
        assert job.statuses() == ["answered"] * 3
    assert calls > 10


def test_records_that_are_gone_are_said_to_be_and_nothing_is_sent() -> None:
    for missing in ("rows_key", "requests_key"):
        job, _ = closed("ac")
        job.store.delete(getattr(job.plan.shards[0], missing))

        assert job.retry() == "gone"
        job.drain()
        assert len(job.sent()) == 3


def test_a_part_that_does_not_fit_its_record_stops_the_retry_before_anything_is_sent() -> None:
    job, _ = closed("ac")
    settled = job.records.find_settled(JOB, 1)
    assert settled is not None
    part = job.store.get(settled.part_key)
    for spoilt in (part.replace(b",answered,", b",refused,", 1), part[:-9], part + b"x\r\n"):
        job.store.put(settled.part_key, spoilt)

        with pytest.raises(PartUnreadable):
            job.retry()
        job.drain()
        assert len(job.sent()) == 3


# ---- Twice, and half -----------------------------------------------------------------------------


def some_open() -> tuple[Pipeline, Ending]:
    job, ending = closed("ac", shards=(("a", "b"), ("c",)))
    ending.answered.add("b")
    return job, ending


def check_finished(job: Pipeline, calls: int) -> None:
    assert job.statuses() == ["answered"] * 3, calls
    assert job.report().job_id == RETRY, calls
    assert job.report().adds_up, calls
    assert job.sent() == ["a", "b", "c", "b"], calls
    assert job.records.find_plan(SECOND) is None
    results = [head.key for head in job.store.list("results/")]
    assert results == [job.plan.result_key, report_key_for(job.plan.result_key)], calls


def test_a_retry_that_is_killed_between_any_two_calls_can_be_repeated() -> None:
    calls = 0
    while True:
        job, ending = some_open()
        cut = Cut(calls)
        try:
            job.retry(cut=cut)
            break
        except Killed:
            job.retry()
        job.drain(ending)
        check_finished(job, calls)
        calls += 1

    assert calls > 25


def test_a_retry_that_is_killed_and_not_repeated_either_sends_nothing_or_is_finished_by_the_timer() -> None:
    calls, planned = 0, 0
    while True:
        job, ending = some_open()
        job.store.on_put = job.triggered  # every event is delivered at once, before the retry's next call
        try:
            job.retry(cut=Cut(calls))
            break
        except Killed:
            job.store.on_put = None
        job.drain(ending)
        if job.records.find_plan(RETRY):
            planned += 1
            check_finished(job, calls)
        else:
            assert job.sent() == ["a", "b", "c"], calls
            job.retry()
            job.drain(ending)
            check_finished(job, calls)
        calls += 1

    assert planned > 3


def test_what_follows_a_retry_may_be_killed_between_any_two_calls() -> None:
    calls, was_killed = 0, True
    while was_killed:
        job, ending = some_open()
        job.retry()
        cut = Cut(calls)
        job.drain(ending, cut)
        was_killed = cut.left is None
        check_finished(job, calls)
        calls += 1

    assert calls > 40


def test_how_long_a_job_took_is_noted_though_its_run_died_and_a_retry_closed_meanwhile() -> None:
    job, ending = closed("ac")
    [noted] = job.store.keys(HISTORY)
    job.store.delete(noted)  # the run died once the ledger was there
    ending.answered.add("b")
    job.retry()
    job.drain(ending)

    CloseJob(job.store, job.clock)(job.plan)  # its event comes again

    assert job.store.keys(HISTORY) == [noted]


@pytest.mark.parametrize("is_replaced", [False, True])
def test_a_close_that_is_overtaken_by_its_retry_leaves_the_retrys_result(is_replaced: bool) -> None:
    """A slow close of the first round, with the whole retry between any two of its calls."""
    calls = 0
    while True:
        job, ending = some_open()
        overtaken = job
        if is_replaced:
            replaced(job)

        def retry(overtaken: Pipeline = overtaken, ending: Ending = ending) -> None:
            overtaken.store.delete(f"finished/{attempt()}")
            overtaken.retry()
            overtaken.drain(ending)

        job.records.put_finished(attempt(), "callback")
        cut = Meanwhile(calls, retry)
        job.collect(attempt(), cut)
        if cut.left is not None:
            break
        if is_replaced:
            assert job.store.get(f"results/a/names.{JOB}.csv").count(b"answered") == 3, calls
        else:
            check_finished(job, calls)
        calls += 1

    assert calls > 10


def test_the_records_of_a_first_attempt_that_was_kept_start_no_batch() -> None:
    job, _ = closed("ac")
    job.retry()
    first = Attempt(RETRY, 1, 1)
    job.collect(first)
    job.records.put_ready(first)
    job.records.put_finished(first, "forged")

    job.submit(first)
    job.collect(first)

    assert job.attempts(Stage.READY) == [Attempt(RETRY, 2, 1)]
    assert job.attempts(Stage.RUNNING) == []
    assert job.store.head(attempt_key(first, "claim-1")) is None
    assert Ledger.model_validate_json(job.store.get(record_key(JOB, "ledger.json"))).retries == 0
