"""Whether it is too late to send an attempt: its answers would be lost, or it may be paid for."""

from __future__ import annotations

from datetime import datetime, timedelta

from shared.bucket.records.plan import Plan
from shared.bucket.records.submission import SubmissionKind
from shared.pipeline.deadlines import SEND_WITHIN
from shared.pipeline.quota.claims import Claims
from shared.pipeline.submit.decision import Close
from shared.problems.problem import Problem
from shared.problems.render import render_problem


def too_late_to_send(plan: Plan, claims: Claims, listed_for: timedelta, now: datetime) -> Close | None:
    """Why not to send a shard of which no batch was found.

    Args:
        plan: Its job's.
        claims: Those that are not released may have led to a batch.
        listed_for: How long the provider lists a batch, so that it is found.
        now: The time.
    """
    if any(now - claims.claimed_at[number] > listed_for for number in claims.unreleased):
        return refused(Problem("perhaps_sent", values={"days": listed_for.days}))
    if now - plan.created_at > SEND_WITHIN:
        return refused(Problem("waited_too_long", values={"days": SEND_WITHIN.days}))
    return None


def requests_removed() -> Close:
    """Why not to send a shard of which there is nothing to send any more."""
    return refused(Problem("requests_removed"))


def refused(problem: Problem) -> Close:
    """Do not send it, for a reason that its rows tell in both languages."""
    text = f"{render_problem(problem, 'zh')} / {render_problem(problem, 'en')}"
    return Close(SubmissionKind.REFUSED, problem.code, text)
