"""The local Ark's memory: one SQLite file for the jobs, plain files for those on their way."""

from __future__ import annotations

from pathlib import Path

from scripts.localcloud.actions.job_memory import JobMemory
from scripts.localcloud.ark.jobs.job import TERMINAL, Job, Location
from scripts.localcloud.ark.jobs.job_faults import JobFault

_SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE, project TEXT, bucket TEXT, input TEXT, phase TEXT,
    created_at INTEGER, json TEXT, fault TEXT);
CREATE INDEX IF NOT EXISTS jobs_by_phase ON jobs (phase);
"""


class JobStore(JobMemory[Job, JobFault]):
    """Jobs, those that are deleted, too."""

    def __init__(self, directory: Path) -> None:
        self._work = directory / "work"
        self._work.mkdir(parents=True, exist_ok=True)
        super().__init__(directory / "ark.sqlite3", _SCHEMA, Job, JobFault, TERMINAL)
        for job_id in {file.name.partition(".")[0] for file in self._work.iterdir()}:
            self._forget_work(job_id)  # of a job whose end was killed

    def work_path(self, job_id: str, kind: str) -> Path:
        """Where a job keeps its copy of the input, and its results, until these are published."""
        return self._work / f"{job_id}.{kind}"

    def add(self, job: Job, fault: JobFault, **_: object) -> None:
        super().add(
            job,
            fault,
            project=job.project_name,
            bucket=job.input_file.bucket_name,
            input=job.input_file.object_key,
            created_at=job.created_at,
        )

    def update(self, job_id: str, **changes: object) -> Job:
        """Change fields of a job; returns it as it is now.

        With its end goes what it kept for itself: somebody may have it erased from the bucket.
        """
        with self.lock:
            changed = super().update(job_id, **changes)
            if changed.is_terminal:
                self._forget_work(job_id)
            return changed

    def _forget_work(self, job_id: str) -> None:
        """Unless the job goes on, or its files are still to be published."""
        job = self.job(job_id)
        is_late = job and not job.is_published and self.fault_of(job_id).late_gets
        if job is None or (job.is_terminal and not is_late):
            for file in self._work.glob(f"{job_id}.*"):
                file.unlink()

    def active_reader(self, project: str, place: Location) -> str | None:
        """The job of the project that reads this input and has not ended."""
        found = (
            job.id
            for job in self.jobs(project=project, bucket=place.bucket_name, input=place.object_key)
            if not job.is_terminal
        )
        return next(found, None)

    def created_since(self, project: str, oldest: int) -> int:
        rows = self._execute(
            "SELECT COUNT(*) FROM jobs WHERE project = ? AND created_at > ?", (project, oldest)
        )
        return int(rows[0][0])
