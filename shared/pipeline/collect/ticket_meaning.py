"""What a ticket under ``finished/`` means, before the provider is asked."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from enum import Enum

from shared.bucket.attempt import Attempt
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import Stage, ticket_key
from shared.bucket.records.plan import Plan
from shared.bucket.records.submission import Submission
from shared.pipeline.jobs.close_job import CloseJob
from shared.ports.clock import Clock
from shared.ports.store import ObjectStore

log = logging.getLogger(__name__)


class CollectResult(str, Enum):
    """What was done for one ticket, in one word for the log.

    The first five are what an outcome says.
    """

    FINAL = "final"
    RESEND = "resend"
    ASK_AGAIN = "ask_again"
    BORROWING = "borrowing"
    REQUEUE = "requeue"
    NOT_ENDED = "not_ended"
    WAITING = "waiting"
    WORK_REMOVED = "work_removed"
    GONE = "gone"
    EARLY = "early"
    CLOSING = "closing"  # the timer has another invocation go on
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Submitted:
    """The ticket names an attempt that has a submission. Its batch may have ended."""

    attempt: Attempt
    plan: Plan
    submission: Submission


def meaning_of(store: ObjectStore, clock: Clock, attempt: Attempt) -> Submitted | CollectResult:
    """``EARLY``: a notification overtook the submission, or the ``ready/`` ticket was lost."""
    records = BucketRecords(store)
    if store.head(ticket_key(Stage.FINISHED, attempt)) is None:
        CloseJob(store, clock).give_way(attempt.job_id)
        return CollectResult.GONE
    plan = records.find_plan(attempt.job_id)
    if plan is None or plan.shard(attempt.shard) is None:
        log.warning("ticket.unknown", extra={"attempt": str(attempt)})
        return CollectResult.UNKNOWN
    submission = records.find_submission(attempt)
    if submission is not None:
        return Submitted(attempt, plan, submission)
    is_known = store.head(plan.requests_key(attempt)) is not None
    return CollectResult.EARLY if is_known else CollectResult.UNKNOWN
