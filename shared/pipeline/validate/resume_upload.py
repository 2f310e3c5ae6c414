"""Lets a job that has a plan go on, or wait again, since its file was dropped again."""

from __future__ import annotations

from dataclasses import dataclass

from shared.bucket.attempt import JobId
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.records.plan import Plan, Source
from shared.bucket.tickets import REPLACED
from shared.pipeline.jobs.resume_job import ResumeJob, ResumeResult
from shared.pipeline.jobs.retries import latest_retry
from shared.pipeline.jobs.retry_job import RetryJob, RetryResult
from shared.pipeline.jobs.start_job import StartJob
from shared.pipeline.quotes.approvals import decided_now
from shared.pipeline.replaced.replace_earlier import ReplaceEarlier
from shared.ports.clock import Clock
from shared.ports.store import ObjectStore
from shared.problems.exceptions import TransientError


@dataclass(frozen=True)
class ResumeUpload:
    """Do what a planned job's file asks for that was dropped again, or whose event came twice."""

    store: ObjectStore
    clock: Clock
    run_id: str
    start_job: StartJob

    def __call__(self, plan: Plan, source: Source) -> ResumeResult:
        """Resume the job, and let it wait again if it was not sent and is wanted after all.

        Raises:
            TransientError: It closes just now.
        """
        ReplaceEarlier(self.start_job)(plan)
        said = ResumeJob(self.start_job)(plan.of_file(source.key), source.dropped_at)
        if said is not ResumeResult.ERASED and self._is_wanted_again(plan, source):
            # Let it wait again, once it is closed.
            retried = RetryJob(self.store, self.clock, self.run_id, self.start_job.profiles)(plan)
            if retried.said is RetryResult.OPEN:
                if BucketRecords(self.store).find_replacement(JobId(retried.plan.job_id)):
                    return ResumeResult.OPEN  # its batches may run for a day; the timer asks again
                raise TransientError(f"job {plan.job_id} closes, since nothing of it is to be sent any more")
        return said

    def _is_wanted_again(self, plan: Plan, source: Source) -> bool:
        """Whether it waits again: it was replaced, or nobody approved it in time."""
        records = BucketRecords(self.store)
        latest = latest_retry(records, plan)
        job_id, until = JobId(latest.job_id), latest.approve_until
        if source.dropped_at <= latest.source.dropped_at or records.is_cancelled(job_id):
            return False
        if latest.ceilings and records.find_replacement(job_id):
            return True
        decided = decided_now(records, job_id, until, self.clock.now()) if until else None
        if until is None or decided is None or decided.is_approved:
            return False
        return decided.said == REPLACED or source.dropped_at > until
