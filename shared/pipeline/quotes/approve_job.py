"""Approves the quote of a job that waits for it, so that the job is sent."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from shared.bucket.attempt import JobId
from shared.bucket.bucket_records import APPROVAL, BucketRecords
from shared.bucket.keys import INBOX, awaited_key, record_key
from shared.bucket.records.plan import Plan
from shared.bucket.result_names import quote_keys_for
from shared.bucket.tickets import APPROVED, LAPSED, REPLACED, Approval
from shared.pipeline.jobs.start_job import StartJob
from shared.pipeline.quotes.approvals import decided_now, shown_time
from shared.pipeline.replaced.newer_drop import newer_drop
from shared.ports.clock import Clock
from shared.ports.store import ObjectStore
from shared.problems.problem import Problem

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Decided:
    """What an approval came to.

    Attributes:
        refused: Why the job is not approved by it; ``None`` if it is.
        is_new: Nobody had approved it before.
    """

    refused: Problem | None = None
    is_new: bool = False


@dataclass(frozen=True)
class ApproveJob:
    """Create the record that decides, then start the job. Whoever is first decides.

    May be repeated, and killed anywhere: the timer starts what is approved.

    Attributes:
        by: As ``Approval.by`` says.
    """

    store: ObjectStore
    clock: Clock
    by: str

    def __call__(self, plan: Plan, digest: str | None) -> Decided:
        """``digest`` is what was approved; ``None`` for the quote of this very plan."""
        problem = self.why_not(plan, digest)
        if problem:
            log.info("approval.refused", extra={"job_id": plan.job_id, "code": problem.code})
            return Decided(problem)
        records, job_id = BucketRecords(self.store), JobId(plan.job_id)
        mine = Approval(said=APPROVED, by=self.by, at=self.clock.now())
        stands = records.create(record_key(job_id, APPROVAL), mine)
        if not stands.is_approved:
            return Decided(_about(plan, _why_not(stands)))
        if not records.is_closed(job_id):
            StartJob(self.store, self.clock)(plan)
        log.info("job.approved", extra={"job_id": plan.job_id, "by": stands.by, "is_new": stands is mine})
        return Decided(is_new=stands is mine)

    def why_not(self, plan: Plan, digest: str | None) -> Problem | None:
        """Why it is not approved by that; ``None`` if it is."""
        if plan.approve_until is None:
            return _about(plan, "approval_not_needed")
        records, job_id = BucketRecords(self.store), JobId(plan.job_id)
        decided = decided_now(records, job_id, plan.approve_until, self.clock.now())
        if decided and not decided.is_approved:
            if decided.said == LAPSED and not records.is_closed(job_id):
                StartJob(self.store, self.clock)(plan)  # ``submit`` closes it: it may be retried then
            return _about(plan, _why_not(decided))
        if decided is None and (problem := self._not_waiting(records, plan)):
            return problem
        if digest is not None and (plan.quote is None or digest != plan.quote.digest):
            return _about(plan, "approval_of_another", found=digest)
        return None

    def _not_waiting(self, records: BucketRecords, plan: Plan) -> Problem | None:
        if records.is_cancelled(JobId(plan.job_id)):
            return _about(plan, "approval_of_cancelled")
        if self._is_replaced(plan):
            return _about(plan, "approval_of_replaced")
        if self.store.head(awaited_key(JobId(plan.job_id))) is None:
            return Problem("approval_without_quote", found=plan.source.key.rpartition("/")[2])
        return None

    def _is_replaced(self, plan: Plan) -> bool:
        head = self.store.head(plan.source.key) if plan.source.key else None
        is_another = head is not None and head.etag != plan.source.etag
        return is_another or newer_drop(self.store, plan) is not None


def _about(plan: Plan, code: str, found: str | None = None) -> Problem:
    until = plan.approve_until
    values = {
        "job_id": plan.job_id,
        "name": plan.source.key.removeprefix(INBOX).rpartition("/")[2],
        "quote": quote_keys_for(plan.source.key)[0],
        "until": shown_time(until) if until else "",
    }
    return Problem(code, found=found, values=values)


def _why_not(decided: Approval) -> str:
    return "approval_of_replaced" if decided.said == REPLACED else "approval_too_late"
