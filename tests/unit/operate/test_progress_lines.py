from __future__ import annotations

from datetime import timedelta

import pytest

from scripts.operate.jobs.show import board_lines, job_lines
from scripts.operate.texts.spans import span
from shared.board.model import Estimate, OpenJob
from shared.bucket.money import Quote
from shared.ports.provider import BatchStatus
from tests.support.builders import attempt
from tests.support.pipeline import Pipeline
from tests.unit.pipeline.jobs.test_asked_again import OTHER, Job, times

JOB = OpenJob(
    job_id="j", source_key="inbox/a.csv", rows=300, answered=120, shards=1, by_state={}, waiting_since=None
)


def test_the_board_says_how_many_rows_have_their_answer_and_how_many_failed() -> None:
    _, line = board_lines([JOB])
    assert line.endswith("  120/300")

    _, line = board_lines([JOB.model_copy(update={"failed": 3})])
    assert line.endswith("  120/300, 3 失败 failed")


def test_the_board_says_how_long_it_usually_takes_where_that_is_known() -> None:
    estimate = Estimate(typical_s=700, slow_s=9000, jobs=7)

    *_, said = board_lines([JOB.model_copy(update={"estimate": estimate})])

    assert said.endswith(
        "j 这里的类似任务一般需要 12 分钟，较慢时 2 小时（最近 7 个）"
        " / usually 12 min here, 2 h if slow (the last 7 jobs like it)"
    )


@pytest.mark.parametrize(
    ("seconds", "zh", "en"),
    [(0, "0 秒", "0 s"), (119, "119 秒", "119 s"), (120, "2 分钟", "2 min"), (200_000, "2 天", "2 d")],
)
def test_a_span_has_the_largest_unit_of_which_it_is_two_or_more(seconds: int, zh: str, en: str) -> None:
    assert span(seconds) == (zh, en)


def test_one_job_says_what_it_was_to_cost_if_it_had_a_quote() -> None:
    quote = Quote(requests=3, input_tokens=9, input_at_most=9, bounded_by=("max_tokens: 500",), digest="a1")
    job = Pipeline()

    lines = list(job_lines(job.records, job.plan.model_copy(update={"quote": quote})))

    assert lines[2:4] == [
        "    报价：不知道价格；没有上限，可在 parameters 里写 max_tokens: 500",
        "    quote: the price is not known; no ceiling: write max_tokens: 500 in parameters",
    ]
    assert [line for line in job_lines(job.records, job.plan) if "quote" in line] == []


def test_one_job_says_what_the_provider_counted_and_when() -> None:
    job = Pipeline()
    job.submit(attempt())
    counts = {"requests_completed": 2, "requests_failed": 1}
    job.provider.set_state(job.provider.last.batch_id, BatchStatus.RUNNING, **counts)
    job.clock.advance(timedelta(minutes=5))
    job.poll()

    *_, line = job_lines(job.records, job.plan)

    counted = f"{job.clock.now().astimezone():%Y-%m-%d %H:%M:%S %Z}"
    assert line.endswith(f", {counted}: 2 完成 completed, 1 失败 failed")


def test_answers_none_of_which_fits_are_not_called_nothing() -> None:
    job = Job(times(1), "x y")
    job.answer({"x": [OTHER], "y": [OTHER]})

    said = "\n".join(job_lines(job.records, job.plan))

    assert "没有合格的答案 no answer fits, 重新发送 2 行 sent again" in said
    assert "nothing settled" not in said
