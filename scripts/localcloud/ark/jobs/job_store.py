"""The local Ark's memory: one SQLite file for the jobs, plain files for those on their way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from scripts.localcloud.ark.jobs.job import TERMINAL, Job, Location
from scripts.localcloud.ark.jobs.job_faults import JobFault
from scripts.localcloud.sqlite_file import SqliteMemory

_SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE, project TEXT, bucket TEXT, input TEXT, phase TEXT,
    created_at INTEGER, json TEXT, fault TEXT);
CREATE INDEX IF NOT EXISTS jobs_by_phase ON jobs (phase);
"""


class JobStore(SqliteMemory):
    """Jobs, those that are deleted, too."""

    def __init__(self, directory: Path) -> None:
        self._work = directory / "work"
        self._work.mkdir(parents=True, exist_ok=True)
        super().__init__(directory / "ark.sqlite3", _SCHEMA)
        for job_id in {file.name.partition(".")[0] for file in self._work.iterdir()}:
            self._forget_work(job_id)  # of a job whose end was killed

    def work_path(self, job_id: str, kind: str) -> Path:
        """Where a job keeps its copy of the input, and its results, until these are published."""
        return self._work / f"{job_id}.{kind}"

    def add(self, job: Job, fault: JobFault) -> None:
        self._execute(
            "INSERT INTO jobs (id, project, bucket, input, phase, created_at, json, fault)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                job.id,
                job.project_name,
                job.input_file.bucket_name,
                job.input_file.object_key,
                job.phase,
                job.created_at,
                job.model_dump_json(),
                fault.model_dump_json(),
            ),
        )

    def update(self, job_id: str, **changes: object) -> Job:
        """Change fields of a job; returns it as it is now.

        With its end goes what it kept for itself: somebody may have it erased from the bucket.
        """
        with self.lock:
            job = self.job(job_id)
            if job is None:
                raise KeyError(job_id)
            changed = job.model_copy(update=changes)
            self._execute(
                "UPDATE jobs SET phase = ?, json = ? WHERE id = ?",
                (changed.phase, changed.model_dump_json(), job_id),
            )
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

    def job(self, job_id: str) -> Job | None:
        rows = self._execute("SELECT json FROM jobs WHERE id = ?", (job_id,))
        return Job.model_validate_json(rows[0][0]) if rows else None

    def fault_of(self, job_id: str) -> JobFault:
        rows = self._execute("SELECT fault FROM jobs WHERE id = ?", (job_id,))
        return JobFault.model_validate_json(rows[0][0])

    def jobs(self, project: str | None = None) -> Iterator[Job]:
        """All that were ever created, oldest first."""
        rows = self._execute(
            "SELECT json FROM jobs WHERE ? IS NULL OR project = ? ORDER BY number", (project, project)
        )
        return (Job.model_validate_json(row[0]) for row in rows)

    def unfinished(self) -> list[Job]:
        """Those that have not ended, oldest first."""
        rows = self._execute(
            f"SELECT json FROM jobs WHERE phase NOT IN ({_ENDED}) ORDER BY number",  # noqa: S608 - our literals
            (),
        )
        return [Job.model_validate_json(row[0]) for row in rows]

    def active_reader(self, project: str, place: Location) -> str | None:
        """The job of the project that reads this input and has not ended."""
        rows = self._execute(
            f"SELECT id FROM jobs WHERE phase NOT IN ({_ENDED})"  # noqa: S608 - our literals
            " AND project = ? AND bucket = ? AND input = ?",
            (project, place.bucket_name, place.object_key),
        )
        return str(rows[0][0]) if rows else None

    def created_since(self, project: str, oldest: int) -> int:
        rows = self._execute(
            "SELECT COUNT(*) FROM jobs WHERE project = ? AND created_at > ?", (project, oldest)
        )
        return int(rows[0][0])


_ENDED = ", ".join(f"'{phase}'" for phase in sorted(TERMINAL))
