"""The account of a job: its rows, what was counted of them and billed, and what is odd."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from shared.bucket.attempt import JobId
from shared.bucket.base import total_counts
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.money import Quote
from shared.bucket.records.ledger import Ledger
from shared.bucket.records.outcome import SettledShard
from shared.bucket.records.plan import Plan
from shared.bucket.records.usage import Tokens
from shared.money.invoice import bill_attempts, make_bill
from shared.money.quotes.sample_text import quote_by
from shared.pipeline.sample.sample_results import find_sample
from shared.problems.problem import Problem, Values
from shared.problems.render import render_both
from shared.results.columns import FILTERED, TOO_LONG


def make_ledger(
    records: BucketRecords,
    plan: Plan,
    shards: Sequence[SettledShard],
    result_key: str,
    *,
    now: datetime,
    unmatched_key: Callable[[], str],
) -> Ledger:
    """Add up what the shards became; of a retry, also what the jobs before it were billed.

    ``unmatched_key`` says where lines are that name no row, and is asked only if there are any.
    """
    before = records.find_ledger(JobId(plan.retry_of)) if plan.retry_of else None
    by_status = total_counts(shard.by_status for shard in shards)
    tokens = sum((shard.tokens for shard in shards), before.tokens if before else Tokens())
    is_untold = tokens == Tokens() and by_status.get("answered", 0) > plan.rows_reused
    attempts = (*(before.attempts if before else ()), *bill_attempts(plan, shards))
    batches = (batch for shard in shards for batch in shard.batches)
    return Ledger(
        **plan.facts() | {"result_key": result_key},
        **_rows(plan, by_status),
        **_answers(shards),
        tokens=tokens,
        bill=None if is_untold else make_bill(plan, attempts, _quote(records, plan)),
        attempts=attempts,
        batches=(*(before.batches if before else ()), *batches),
        shards=len(shards),
        warnings=(
            *plan.warnings,
            *_about_answers(shards),
            *([render_both(Problem("usage_not_told"))] if is_untold else []),
            *_about_unmatched(shards, unmatched_key),
        ),
        dropped_at=plan.source.dropped_at,
        planned_at=plan.created_at,
        closed_at=now,
        duration_s=round((now - plan.source.dropped_at).total_seconds(), 3),
        retry_of=plan.retry_of,
        retries=plan.retries,
    )


def _rows(plan: Plan, by_status: Mapping[str, int]) -> dict[str, Any]:
    rows_out = sum(by_status.values())
    return {
        "rows_in": plan.rows,
        "rows_out": rows_out,
        "rows_sent": plan.rows_sent,
        "rows_same": plan.rows_same,
        "rows_reused": plan.rows_reused,
        "rows_not_sent": plan.bad_rows,
        "by_status": by_status,
        "adds_up": plan.rows == rows_out == plan.good_rows + plan.bad_rows,
    }


def _answers(shards: Sequence[SettledShard]) -> dict[str, Any]:
    return {
        "unread_answers": total_counts(shard.unread_answers for shard in shards),
        "finish_reasons": total_counts(shard.finish_reasons for shard in shards),
        "fitted": total_counts(shard.fitted for shard in shards),
    }


def _quote(records: BucketRecords, plan: Plan) -> Quote | None:
    """As people saw it before anything was sent."""
    sample = find_sample(records, plan)
    return plan.quote and quote_by(plan.quote, sample.figures if sample else None)


def _about_unmatched(shards: Sequence[SettledShard], unmatched_key: Callable[[], str]) -> Iterator[str]:
    if lines := sum(shard.unmatched_lines for shard in shards):
        values: Values = {"lines": lines, "file": unmatched_key()}
        yield render_both(Problem("lines_unmatched", values=values))


# By code, the finish reasons for which it says what to do.
_ABOUT_CUT_ANSWERS = {"answers_cut": TOO_LONG, "answers_filtered": FILTERED}


def _about_answers(shards: Sequence[SettledShard]) -> Iterator[str]:
    finish_reasons = total_counts(shard.finish_reasons for shard in shards)
    for code, words in _ABOUT_CUT_ANSWERS.items():
        if rows := sum(times for reason, times in finish_reasons.items() if reason.lower() in words):
            yield render_both(Problem(code, values={"rows": rows}))
    if rows := total_counts(shard.unread_answers for shard in shards).get("answers_differ", 0):
        yield render_both(Problem("answered_twice", values={"rows": rows}))
