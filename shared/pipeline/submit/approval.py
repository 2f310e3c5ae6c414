"""Whether a shard may be sent: its job was approved if it had to be, and not replaced."""

from __future__ import annotations

from shared.bucket.attempt import JobId
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.records.plan import Plan
from shared.bucket.tickets import OVER_BUDGET, REPLACED, ReadyTicket
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
    if decided.is_approved:
        return None
    if decided.said == REPLACED:
        return refused(Problem("replaced", values={"job_id": decided.by}))
    return refused(Problem("not_approved", values={"until": shown_time(plan.approve_until)}))


def replaced_meanwhile(records: BucketRecords, plan: Plan, ticket: ReadyTicket) -> Close | None:
    """Why not to send what waited for a month's money: a later version of the file is a job."""
    if ticket.waiting_for is None or ticket.waiting_for.code != OVER_BUDGET:
        return None
    found = records.find_replacement(JobId(plan.job_id))
    return refused(Problem("replaced", values={"job_id": found.job_id})) if found else None
