"""Rows that have an earlier job's answer in some runs, and what must be true of them."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from shared.bucket.attempt import Attempt, JobId
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import lent_prefix, settled_key
from shared.bucket.records.plan import Plan
from shared.formats.lines import byte_lines
from shared.pipeline.deadlines import CLOCK_ERROR
from shared.results.kept_rows import OriginalRow
from tests.simulation.answers import is_misfit, other_answer_to
from tests.simulation.expected import Expected, batches_by_attempt, decided_at_s, had_to_be_read
from tests.simulation.pipeline import TIMEOUT_S, Pipeline
from tests.simulation.samples import kept_replies

_WITH_REUSE = 0.15
_TIMES = {"1h": timedelta(hours=1), "2d": timedelta(days=2), "30d": timedelta(days=30)}
# So long before its plan is made may a file be looked at, by a clock that is wrong.
_LOOK_S = TIMEOUT_S["validate"] + CLOCK_ERROR.total_seconds()


def reuse_of(seed: int) -> str | None:
    """How old an answer may be by the recipe of the run; in most runs all rows are sent."""
    choose = random.Random(f"reuse {seed}")
    return choose.choice([*_TIMES]) if choose.random() < _WITH_REUSE else None


@dataclass(frozen=True)
class _Given:
    """An answer that a job's batch gave to a question.

    Attributes:
        answers: What its lines say, which may contradict each other.
        is_fit: It fits the recipe's columns.
        is_good: Nothing else is wrong with it either, and it was read.
    """

    job: Plan
    shard: int
    decided_s: float
    answers: frozenset[str]
    is_fit: bool
    is_good: bool


def borrowed_rows(pipeline: Pipeline, plan: Plan) -> dict[tuple[int, str], Expected]:
    """What rows may come to that have an earlier answer; ``expected_rows`` says it of others."""
    return {
        (shard, text): Expected(
            must=True, may=bool(given := _given(pipeline, plan, text)), answers=_all(given)
        )
        for shard, text in _reused(pipeline, plan)
    }


def reuse_failures(pipeline: Pipeline, plans: Sequence[Plan]) -> Iterator[str]:
    """A row has only what may be lent, and what is lent is not paid for again."""
    for plan in plans:
        yield from _left_of_erased(pipeline, plan)
        if not plan.lends_to or plan.retry_of or _erased_s(pipeline, plan) < math.inf:
            continue
        for shard, text in _reused(pipeline, plan):
            if not any(_may_lend(pipeline, plan, each) for each in _given(pipeline, plan, text)):
                yield f"shard {shard} of {plan.job_id} has an answer to {text!r} that nobody may lend"
        for text in _sent(pipeline, plan):
            if any(_must_lend(pipeline, plan, each) for each in _given(pipeline, plan, text)):
                yield f"{plan.job_id} pays for {text!r}, of which an earlier job has the answer"


def _reused(pipeline: Pipeline, plan: Plan) -> Iterator[tuple[int, str]]:
    """By shard, the texts of the rows that have an earlier job's answer."""
    for shard in plan.shards:
        if shard.reused:
            rows = map(OriginalRow.from_line, byte_lines([pipeline.bucket.objects[shard.rows_key]]))
            yield from ((shard.shard, str(row.cells[1])) for row in rows if row.reuses)


def _sent(pipeline: Pipeline, plan: Plan) -> Iterator[str]:
    for attempt, batches in batches_by_attempt(pipeline).items():
        if attempt.job_id == plan.job_id:
            yield from (text for batch in batches for text in batch.texts.values())


def _given(pipeline: Pipeline, plan: Plan, text: str) -> list[_Given]:
    """What other jobs were answered to the same question before this one was planned.

    Their columns are its own, which an erased plan has no longer.
    """
    found = [*_given_in_samples(pipeline, plan, text)]
    for attempt, batches in batches_by_attempt(pipeline).items():
        job = BucketRecords(pipeline.bucket).find_plan(attempt.job_id)
        decided_s = decided_at_s(pipeline, attempt)
        if not job or decided_s is None or not _is_before(pipeline, plan, job, decided_s):
            continue
        for batch in batches:
            for custom_id in batch.answered:
                if batch.texts[custom_id] == text:
                    is_alone = custom_id not in batch.contradicted
                    content, reason = batch.said[custom_id]
                    answers = {content, *(() if is_alone else (other_answer_to(text),))}
                    has_columns = bool(plan.answer_columns)
                    is_fit = reason == "stop" and not is_misfit(content, reason, has_columns=has_columns)
                    is_good = is_alone and is_fit and had_to_be_read(pipeline, attempt, batch)
                    found.append(_Given(job, attempt.shard, decided_s, frozenset(answers), is_fit, is_good))
    return found


def _given_in_samples(pipeline: Pipeline, plan: Plan, text: str) -> Iterator[_Given]:
    for row in pipeline.lane.rows:
        job = BucketRecords(pipeline.bucket).find_plan(JobId(row.job_id))
        reply = kept_replies(pipeline, job).get(row.custom_id) if job and row.ask.text == text else None
        if job is None or reply is None or reply.is_unknown:
            continue
        decided_s = decided_at_s(pipeline, Attempt(JobId(job.job_id), 1, reply.shard))
        if decided_s is not None and _is_before(pipeline, plan, job, decided_s):
            is_fit = not is_misfit(row.content, "stop", has_columns=bool(plan.answer_columns))
            yield _Given(job, reply.shard, decided_s, frozenset({row.content}), is_fit, is_fit)


def _is_before(pipeline: Pipeline, plan: Plan, job: Plan, decided_s: float) -> bool:
    is_another = job.lends_to == plan.lends_to and job.origin_id != plan.origin_id
    return is_another and decided_s <= _planned_s(pipeline, plan) + _LOOK_S


def _all(given: Sequence[_Given]) -> set[str]:
    return {answer for each in given for answer in each.answers}


def _may_lend(pipeline: Pipeline, plan: Plan, given: _Given) -> bool:
    """It fits, its job wrote it in time, and no erasure had begun."""
    records, looked_s = BucketRecords(pipeline.bucket), _planned_s(pipeline, plan) - _LOOK_S
    keys = pipeline.bucket.keys("jobs/")
    found = (records.find_plan(JobId(key.split("/")[1])) for key in keys if key.endswith("/plan.json"))
    family = [each for each in found if each and each.origin_id == given.job.origin_id]
    written_s = pipeline.bucket.written_s(settled_key(JobId(given.job.job_id), given.shard))
    is_young = math.inf > written_s >= looked_s - _within_s(pipeline)
    return given.is_fit and is_young and all(_erased_s(pipeline, each) > looked_s for each in family)


def _must_lend(pipeline: Pipeline, plan: Plan, given: _Given) -> bool:
    """The job was closed long before the look, and its answer is good and young enough."""
    ledger = BucketRecords(pipeline.bucket).find_ledger(JobId(given.job.job_id))
    planned_s = _planned_s(pipeline, plan)
    if ledger is None or not given.is_good or ledger.erased_at:
        return False
    closed_s = pipeline.kernel.true_s(ledger.closed_at)
    return closed_s < planned_s - _LOOK_S and given.decided_s > planned_s - _within_s(pipeline) + _LOOK_S


def _left_of_erased(pipeline: Pipeline, plan: Plan) -> Iterator[str]:
    erased_s = _erased_s(pipeline, plan)
    if plan.lends_to and erased_s < math.inf:
        for key in pipeline.bucket.keys(lent_prefix(plan.lends_to, JobId(plan.job_id))):
            if pipeline.bucket.written_s(key) <= erased_s:
                yield f"{key} is left of the erased job {plan.job_id}"


def _erased_s(pipeline: Pipeline, plan: Plan) -> float:
    ledger = BucketRecords(pipeline.bucket).find_ledger(JobId(plan.job_id))
    return pipeline.kernel.true_s(ledger.erased_at) if ledger and ledger.erased_at else math.inf


def _planned_s(pipeline: Pipeline, plan: Plan) -> float:
    return pipeline.kernel.true_s(plan.created_at)


def _within_s(pipeline: Pipeline) -> float:
    return _TIMES[pipeline.reuse].total_seconds() if pipeline.reuse else 0.0
