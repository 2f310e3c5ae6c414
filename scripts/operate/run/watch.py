"""What became of a dropped file, and how far its job is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from scripts.operate.access import OpenBucket
from scripts.operate.texts.said import Refusal
from scripts.terminal import named
from shared.board.model import OpenJob
from shared.board.read import ReadBoard
from shared.bucket.attempt import JobId
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.records.ledger import Ledger
from shared.bucket.records.plan import Plan
from shared.bucket.result_names import rejection_keys_for
from shared.pipeline.jobs.retries import latest_retry
from shared.pipeline.page.files.look_at_file import LookAtFile
from shared.pipeline.sample.records import Sample
from shared.pipeline.sample.sample_results import find_sample
from shared.ports.store import ObjectHead
from shared.runtime.system_clock import SystemClock


@dataclass(frozen=True)
class Seen:
    """One of ``report``, ``ledger`` and ``job``; none while the file is being checked.

    Attributes:
        report: Of a refused file, as it was written for its owner.
        sample: What the job's sample came to, once it has ended.
        answered: Rows that have their answer, as far as is known.
    """

    plan: Plan | None = None
    sample: Sample | None = None
    report: str | None = None
    ledger: Ledger | None = None
    job: OpenJob | None = None
    answered: int = 0

    @property
    def is_over(self) -> bool:
        return self.report is not None or self.ledger is not None


@dataclass(frozen=True)
class Watch:
    """Looks at one dropped file.

    Attributes:
        count: How many rows a running batch has answered, where asking the provider costs nothing;
            otherwise the timer's last look counts.
    """

    bucket: OpenBucket
    count: Callable[[str], int] | None = None

    def look(self, head: ObjectHead) -> Seen:
        """What became of the file as it was dropped.

        Raises:
            Refusal: It was replaced or removed before anybody could see what became of it.
        """
        store = self.bucket.store
        plan = LookAtFile(store, SystemClock(), self.bucket.name).find_plan(head)
        if plan:
            return self.look_at(plan)
        report_key = rejection_keys_for(head.key)[0]
        report = store.head(report_key)
        # One that is older than the file is about what lay there before.
        if report and report.modified_at >= head.modified_at:
            return Seen(report=store.get(report_key).decode("utf-8-sig").replace("\r\n", "\n").rstrip())
        # Nothing would ever be seen of it. Another machine may run a table of the same path.
        if store.head(head.key) != head:
            raise Refusal("run_replaced", key=named(head.key))
        return Seen()

    def look_at(self, plan: Plan) -> Seen:
        """The job, or its last retry."""
        records = BucketRecords(self.bucket.store)
        plan = latest_retry(records, plan)
        job_id = JobId(plan.job_id)
        board = ReadBoard(self.bucket.store, SystemClock(), max_tickets=50)
        # Before the ledger: a job that closes in between is seen as closed.
        job, sample = board.look(job_id, board.tickets_of(job_id)), find_sample(records, plan)
        if ledger := records.find_ledger(job_id):
            return Seen(plan, sample, ledger=ledger)
        if job is None:
            return Seen(plan, sample)
        counted = sum(map(self.count, job.batches)) if self.count else 0
        return Seen(plan, sample, job=job, answered=max(counted, job.answered))
