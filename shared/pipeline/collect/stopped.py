"""Puts off the rows of a batch that a quota or the account stopped before any row ran."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from shared.bucket.records.outcome import Outcome
from shared.bucket.tickets import WaitingFor
from shared.pipeline.account_problems import waiting_for
from shared.pipeline.waiting import backoff
from shared.ports.provider import BatchState, FailedFor
from shared.problems.exceptions import ProviderTrouble
from shared.problems.problem import Values

STOPPED_BY = {FailedFor.ACCOUNT, FailedFor.QUOTA}


def is_worth_requeuing(
    state: BatchState, earlier: Sequence[Outcome], now: datetime, longest: timedelta
) -> bool:
    """Whether the batch was stopped, and its shard has not been stopped for too long.

    Args:
        state: The batch at its end.
        earlier: The outcomes of the attempts before this one.
        now: The present.
        longest: For how long a batch may last at this provider; what has stopped a job for so long
            is its end.
    """
    stopped_since = now
    for outcome in reversed(earlier):
        if outcome.kind != "requeue":
            break
        stopped_since = outcome.decided_at
    return state.failed_for in STOPPED_BY and now - stopped_since < longest


def requeue(state: BatchState, earlier: Sequence[Outcome], now: datetime, terms: Values) -> Outcome:
    return Outcome(
        kind="requeue",
        batch_id=state.batch_id or None,
        batch_status=state.raw_status,
        decided_at=now,
        settled=0,
        not_before=now + backoff(count_requeues(earlier)),
        waiting_for=_reason(state, earlier, now, terms) if state.failed_for is FailedFor.ACCOUNT else None,
    )


def count_requeues(outcomes: Sequence[Outcome]) -> int:
    return sum(outcome.kind == "requeue" for outcome in outcomes)


def _reason(state: BatchState, earlier: Sequence[Outcome], now: datetime, terms: Values) -> WaitingFor:
    """What somebody must do, noticed when it stopped the first of the attempts."""
    first = state.problems[0]
    trouble = ProviderTrouble(f"{first.message} (code {first.code})", state.trouble)
    last = earlier[-1].waiting_for if earlier else None
    return waiting_for(trouble, last.since if last else now, terms)
