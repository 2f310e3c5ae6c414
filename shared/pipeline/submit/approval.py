"""Whether a shard may be sent, as far as somebody had to approve its job: the last look."""

from __future__ import annotations

from shared.bucket.attempt import JobId
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.records.plan import Plan
from shared.pipeline.quotes.approvals import decided_now, shown_time
from shared.pipeline.submit.decision import Close, Wait
from shared.pipeline.submit.send_deadline import refused
from shared.ports.clock import Clock
from shared.problems.problem import Problem


def not_approved(records: BucketRecords, clock: Clock, plan: Plan) -> Close | Wait | None:
    """Why not to send it, for good or not yet. ``StartJob`` puts no ticket of such a job."""
    if plan.approve_until is None:
        return None
    decided = decided_now(records, JobId(plan.job_id), plan.approve_until, clock.now())
    if decided is None:
        return Wait()
    values = {"until": shown_time(plan.approve_until)}
    return None if decided.is_approved else refused(Problem("not_approved", values=values))
