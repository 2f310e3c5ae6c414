"""Tells the uploader, under ``rejected/``, that a job's data is gone, and what to do."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from shared.bucket.attempt import JobId
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import INBOX
from shared.bucket.records.ledger import Ledger
from shared.bucket.records.plan import Plan
from shared.bucket.result_names import rejection_keys_for
from shared.pipeline.deadlines import WORK_KEPT
from shared.pipeline.jobs.report import render_notice
from shared.ports.store import ObjectStore
from shared.problems.problem import Problem, Values

log = logging.getLogger(__name__)

_TIME = "%Y-%m-%d %H:%M UTC"


@dataclass(frozen=True)
class Notices:
    """Writes the same notice each time; dropping a file that is fine withdraws it."""

    store: ObjectStore

    def result_removed(self, plan: Plan, ledger: Ledger) -> None:
        """The job was closed; both its result and what it was made from are gone."""
        values: Values = {
            "job_id": plan.job_id,
            "days": WORK_KEPT.days,
            "closed_at": ledger.closed_at.strftime(_TIME),
        }
        self._strand(plan, Problem("result_removed", values=values))

    def erased(self, plan: Plan, erased_at: datetime) -> None:
        """The file was dropped again although all that its job held was erased."""
        values: Values = {"job_id": plan.job_id, "erased_at": erased_at.strftime(_TIME)}
        log.info("upload.erased", extra={"job_id": plan.job_id})  # no error: somebody wished it
        self._tell(plan, Problem("job_erased", values=values))

    def work_removed(self, plan: Plan) -> None:
        """The job is open, and its working data is gone. A closed job needs no notice."""
        if BucketRecords(self.store).find_ledger(JobId(plan.job_id)) is None:
            values: Values = {"job_id": plan.job_id, "days": WORK_KEPT.days}
            self._strand(plan, Problem("work_removed", values=values))

    def _strand(self, plan: Plan, problem: Problem) -> None:
        log.error("job.stranded", extra={"job_id": plan.job_id, "code": problem.code})
        self._tell(plan, problem)

    def _tell(self, plan: Plan, problem: Problem) -> None:
        text_key, _ = rejection_keys_for(plan.source.key)
        self.store.put(text_key, render_notice(plan.source.key.removeprefix(INBOX), problem))
