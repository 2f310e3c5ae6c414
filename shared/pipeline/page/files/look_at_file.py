"""Finds what became of one dropped file, in as few requests as may be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from shared.board.model import Board, OpenJob, SpentMoney
from shared.board.read import ReadBoard
from shared.bucket.attempt import JobId
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import BOARD
from shared.bucket.records.ledger import Ledger
from shared.bucket.records.plan import Plan
from shared.bucket.result_names import own_result_key_for, report_key_for, result_key_for
from shared.bucket.uploads import Upload, upload_done_key, upload_key, uploads_prefix
from shared.pipeline.jobs.retries import latest_retry
from shared.pipeline.jobs.retry_job import open_rows
from shared.pipeline.page.files.file_job import FileJob, JobState, closed_job, open_job, without_job
from shared.ports.clock import Clock
from shared.ports.store import ObjectHead, ObjectStore


@dataclass(frozen=True)
class OpenJobs:
    """What ``board.json`` says, by job and by file."""

    board: Board | None

    @cached_property
    def by_id(self) -> Mapping[str, OpenJob]:
        return {job.job_id: job for job in self.jobs}

    @property
    def jobs(self) -> tuple[OpenJob, ...]:
        return self.board.jobs if self.board else ()

    @property
    def money(self) -> tuple[SpentMoney, ...]:
        return self.board.money if self.board else ()

    @classmethod
    def read(cls, store: ObjectStore) -> OpenJobs:
        return cls(BucketRecords(store).find(BOARD, Board))


@dataclass(frozen=True)
class LookAtFile:
    """Says what became of a file that lies in the inbox.

    Attributes:
        bucket: Its name, by which uploads are remembered.
    """

    store: ObjectStore
    clock: Clock
    bucket: str

    def briefly(self, head: ObjectHead, jobs: OpenJobs) -> FileJob:
        """For a list: the board and the report beside the result tell of almost all files."""
        if all(job.source_key != head.key for job in jobs.jobs):
            report = self._report(head)
            sendable = self._sendable_again(report) if report else None
            if report and sendable is not None:
                return closed_job(report, head, sendable)
        return self._traced(head, jobs)

    def __call__(self, head: ObjectHead) -> FileJob:
        """By the records, and the tickets as they are now."""
        return self._traced(head, OpenJobs.read(self.store), is_live=True)

    def find_plan(self, head: ObjectHead) -> Plan | None:
        """The plan of the file's job, or of its last retry."""
        records = BucketRecords(self.store)
        _, upload = self._upload(records, head)
        plan = records.find_plan(JobId(upload.job_id)) if upload else None
        return latest_retry(records, plan) if plan else None

    def _traced(self, head: ObjectHead, jobs: OpenJobs, *, is_live: bool = False) -> FileJob:
        """``is_live``: The board only helps to read less."""
        records = BucketRecords(self.store)
        is_answered, upload = self._upload(records, head)
        if upload is None:
            return without_job(head, JobState.REFUSED if is_answered else JobState.CHECKING)
        on_board = {} if is_live else jobs.by_id
        known = on_board.get(upload.job_id)
        if known and records.find_ledger(JobId(known.job_id)) is None:
            return open_job(known, head)
        plan = records.find_plan(JobId(upload.job_id))
        if plan is None:  # only a draft, which a run of validate is about to make the plan
            return without_job(head, JobState.CHECKING)
        plan = latest_retry(records, plan)
        job_id = JobId(plan.job_id)
        ledger = records.find_ledger(job_id)
        if ledger:
            return closed_job(ledger, head, open_rows(plan, ledger))
        board = ReadBoard(self.store, self.clock, earlier=jobs.board)
        job = on_board.get(job_id) or board.look(job_id, board.tickets_of(job_id))
        return open_job(job, head) if job else without_job(head, JobState.CHECKING)

    def _sendable_again(self, report: Ledger) -> int | None:
        """How many rows a retry would send, which the plan tells; ``None`` if there is a retry."""
        if report.answered == report.rows_out:
            return 0
        records = BucketRecords(self.store)
        plan = records.find_plan(JobId(report.job_id))
        is_last = plan is not None and latest_retry(records, plan) is plan
        return open_rows(plan, report) if plan and is_last else None

    def _upload(self, records: BucketRecords, head: ObjectHead) -> tuple[bool, Upload | None]:
        """Whether the upload was answered, and which job it became."""
        named = (self.bucket, head.key, head.etag)
        mine, done = upload_key(*named, head.modified_at), upload_done_key(*named, head.modified_at)
        keys = {found.key for found in self.store.list(uploads_prefix(*named))}
        return done in keys, records.find(mine, Upload) if mine in keys else None

    def _report(self, head: ObjectHead) -> Ledger | None:
        """The report beside the result if it is about this very upload."""
        records = BucketRecords(self.store)
        for name_for in (result_key_for, own_result_key_for):
            report = records.find(report_key_for(name_for(head.key)), Ledger)
            if report is None:
                return None  # the plain name is claimed first
            if report.source.key == head.key:
                return report if _is_of(report, head) else None
        return None


def _is_of(report: Ledger, head: ObjectHead) -> bool:
    dropped_at = report.source.dropped_at.replace(microsecond=0)
    return (report.source.etag, dropped_at) == (head.etag, head.modified_at.replace(microsecond=0))
