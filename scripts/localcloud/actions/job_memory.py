"""What a service remembers of its jobs, and of what is odd about each: one SQLite file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Generic, TypeVar

from scripts.localcloud.actions.forms import Frozen
from scripts.localcloud.answers.faults import Struck
from scripts.localcloud.sqlite_file import SqliteMemory


class KeptJob(Frozen):
    """What every job has; ``phase`` is where it stands, in the service's own words."""

    id: str
    phase: str


Kept = TypeVar("Kept", bound=KeptJob)


class JobMemory(SqliteMemory, Generic[Kept, Struck]):
    """Jobs, those that are deleted, too, in a table of the name ``jobs``.

    Args:
        file: Its folder exists.
        schema: Columns of the table beside ``number``, ``id``, ``phase``, ``json`` and ``fault``.
        kept: What the rows are.
        fault: What the faults are.
        ended: The phases of jobs that have ended.
    """

    def __init__(
        self, file: Path, schema: str, kept: type[Kept], fault: type[Struck], ended: frozenset[str]
    ) -> None:
        super().__init__(file, schema)
        self._kept, self._fault = kept, fault
        self._ended = ", ".join(f"'{phase}'" for phase in sorted(ended))

    def add(self, job: Kept, fault: Struck, **columns: object) -> None:
        row = {
            "id": job.id,
            **columns,
            "phase": job.phase,
            "json": job.model_dump_json(),
            "fault": fault.model_dump_json(),
        }
        marks = ", ".join("?" * len(row))
        self._execute(f"INSERT INTO jobs ({', '.join(row)}) VALUES ({marks})", (*row.values(),))  # noqa: S608 - our literals

    def update(self, job_id: str, **changes: object) -> Kept:
        """Change fields of a job; returns it as it is now."""
        with self.lock:
            job = self.job(job_id)
            if job is None:
                raise KeyError(job_id)
            changed = job.model_copy(update=changes)
            self._execute(
                "UPDATE jobs SET phase = ?, json = ? WHERE id = ?",
                (changed.phase, changed.model_dump_json(), job_id),
            )
            return changed

    def job(self, job_id: str) -> Kept | None:
        rows = self._execute("SELECT json FROM jobs WHERE id = ?", (job_id,))
        return self._kept.model_validate_json(rows[0][0]) if rows else None

    def fault_of(self, job_id: str) -> Struck:
        rows = self._execute("SELECT fault FROM jobs WHERE id = ?", (job_id,))
        return self._fault.model_validate_json(rows[0][0])

    def jobs(self, **columns: object) -> Iterator[Kept]:
        """All that were ever created, oldest first; of those columns, if any are named."""
        return self._found(columns)

    def unfinished(self) -> list[Kept]:
        """Those that have not ended, oldest first."""
        return list(self._found({}, f"phase NOT IN ({self._ended})"))

    def _found(self, columns: Mapping[str, object], *conditions: str) -> Iterator[Kept]:
        where = " AND ".join(("1", *conditions, *(f"{name} = ?" for name in columns)))
        rows = self._execute(f"SELECT json FROM jobs WHERE {where} ORDER BY number", (*columns.values(),))  # noqa: S608 - our literals
        return (self._kept.model_validate_json(row[0]) for row in rows)
