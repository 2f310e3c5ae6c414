"""Whether it is too late to send an attempt: its answers could not be joined with its rows."""

from __future__ import annotations

from datetime import datetime

from shared.bucket.attempt import Attempt
from shared.bucket.records import Plan
from shared.bucket.submission import SubmissionKind
from shared.pipeline.deadlines import SEND_WITHIN
from shared.pipeline.submit.decision import Close
from shared.ports.store import ObjectStore
from shared.problems.problem import Problem
from shared.problems.render import render_problem


def too_late_to_send(store: ObjectStore, plan: Plan, attempt: Attempt, now: datetime) -> Close | None:
    """Why not to send: the batch would be paid for, and its answers lost."""
    if now - plan.created_at > SEND_WITHIN:
        return _refused(Problem("waited_too_long", values={"days": SEND_WITHIN.days}))
    if store.head(plan.requests_key(attempt)) is None:
        return _refused(Problem("requests_removed"))
    return None


def _refused(problem: Problem) -> Close:
    text = f"{render_problem(problem, 'zh')} / {render_problem(problem, 'en')}"
    return Close(SubmissionKind.REFUSED, problem.code, text)
