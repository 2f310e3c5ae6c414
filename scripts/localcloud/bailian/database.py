"""The local Bailian's memory: one SQLite file for what is known, plain files for contents."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.localcloud.bailian.files_and_batches import TERMINAL, Batch, StoredFile
from scripts.localcloud.bailian.service_faults import BatchFault
from scripts.localcloud.sqlite_file import SqliteMemory

_SCHEMA = """
CREATE TABLE IF NOT EXISTS files (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE, purpose TEXT, created_at INTEGER, bytes INTEGER,
    json TEXT);
CREATE TABLE IF NOT EXISTS batches (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE, name TEXT, status TEXT, input_file_id TEXT,
    endpoint TEXT, created_at INTEGER, json TEXT, fault TEXT);
CREATE INDEX IF NOT EXISTS batches_by_status ON batches (status);
"""


@dataclass(frozen=True)
class Condition:
    """One part of a WHERE clause; ``sql`` is always a literal of this program."""

    sql: str
    values: tuple[str | int, ...] = ()


class Database(SqliteMemory):
    """Files and batches.

    If there is a folder ``kept`` beside the files, it
    gets what each batch was asked and answered, whoever deletes the files: for tests that check the
    bill.
    """

    def __init__(self, directory: Path) -> None:
        self._files = directory / "files"
        self._work = directory / "work"
        self._kept = directory / "kept"
        self.uploads = directory / "uploads"
        for folder in (self._files, self._work, self.uploads):
            folder.mkdir(parents=True, exist_ok=True)
        for leftover in self.uploads.iterdir():
            leftover.unlink()
        # It holds signed callback URLs.
        super().__init__(directory / "bailian.sqlite3", _SCHEMA)

    def path_of(self, file_id: str) -> Path:
        return self._files / file_id

    def work_path(self, batch_id: str, kind: str) -> Path:
        """Where a batch in flight keeps its own copy of the input, and the results so far."""
        return self._work / f"{batch_id}.{kind}"

    def add_file(self, stored: StoredFile, content: Path) -> None:
        """Keep ``content`` under the file's id; adding the same file again changes nothing."""
        if content.exists():
            content.replace(self.path_of(stored.id))
        self._execute(
            "INSERT OR IGNORE INTO files (id, purpose, created_at, bytes, json) VALUES (?, ?, ?, ?, ?)",
            (stored.id, stored.purpose, stored.created_at, stored.bytes, stored.model_dump_json()),
        )
        if stored.purpose == "batch_output":
            self._keep(self.path_of(stored.id), stored.filename)

    def withdraw_file(self, file_id: str, content: Path) -> None:
        """The opposite of ``add_file``; no error if there is no such file."""
        if self.path_of(file_id).exists():
            self.path_of(file_id).replace(content)
        self._execute("DELETE FROM files WHERE id = ?", (file_id,))

    def file(self, file_id: str) -> StoredFile | None:
        rows = self._execute("SELECT json FROM files WHERE id = ?", (file_id,))
        return StoredFile.model_validate_json(rows[0][0]) if rows else None

    def delete_file(self, file_id: str) -> bool:
        if self.file(file_id) is None:
            return False
        self._execute("DELETE FROM files WHERE id = ?", (file_id,))
        self.path_of(file_id).unlink(missing_ok=True)
        return True

    def file_totals(self) -> tuple[int, int]:
        """How many files there are, and their bytes."""
        count, size = self._execute("SELECT COUNT(*), COALESCE(SUM(bytes), 0) FROM files", ())[0]
        return int(count), int(size)

    def files(self, conditions: Sequence[Condition], limit: int) -> list[StoredFile]:
        rows = self._select("files", "json", conditions, limit)
        return [StoredFile.model_validate_json(row[0]) for row in rows]

    def add_batch(self, batch: Batch, fault: BatchFault, content: Path) -> None:
        """Remember a new batch, with an input of its own that outlives ``content``."""
        os.link(content, self.work_path(batch.id, "input"))
        self._keep(content, f"{batch.id}_input.jsonl")
        self._execute(
            "INSERT INTO batches (id, name, status, input_file_id, endpoint, created_at, json, fault)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                batch.id,
                batch.name,
                batch.status,
                batch.input_file_id,
                batch.endpoint,
                batch.created_at,
                batch.model_dump_json(),
                fault.model_dump_json(),
            ),
        )

    def update_batch(self, batch_id: str, **changes: object) -> Batch:
        """Change fields of a batch; returns it as it is now."""
        with self.lock:
            batch = self.batch(batch_id)
            if batch is None:
                raise KeyError(batch_id)
            changed = batch.model_copy(update=changes)
            self._execute(
                "UPDATE batches SET status = ?, json = ? WHERE id = ?",
                (changed.status, changed.model_dump_json(), batch_id),
            )
            return changed

    def batch(self, batch_id: str) -> Batch | None:
        rows = self._execute("SELECT json FROM batches WHERE id = ?", (batch_id,))
        return Batch.model_validate_json(rows[0][0]) if rows else None

    def fault_of(self, batch_id: str) -> BatchFault:
        rows = self._execute("SELECT fault FROM batches WHERE id = ?", (batch_id,))
        return BatchFault.model_validate_json(rows[0][0])

    def batches(self, conditions: Sequence[Condition], limit: int) -> list[Batch]:
        """Batches, newest first."""
        rows = self._select("batches", "json", conditions, limit)
        return [Batch.model_validate_json(row[0]) for row in rows]

    def unfinished(self, endpoint: str | None = None) -> list[str]:
        """The ids of batches that have not ended, oldest first."""
        ended = ", ".join(f"'{status}'" for status in sorted(TERMINAL))
        rows = self._execute(
            f"SELECT id FROM batches WHERE status NOT IN ({ended})"  # noqa: S608 - literals of this program
            " AND (? IS NULL OR endpoint = ?) ORDER BY number",
            (endpoint, endpoint),
        )
        return [str(row[0]) for row in rows]

    def number_of(self, table: str, name: str) -> int | None:
        """The position of a file or batch in the order of creation."""
        rows = self._execute(f"SELECT number FROM {table} WHERE id = ?", (name,))  # noqa: S608 - the same
        return int(rows[0][0]) if rows else None

    def _keep(self, content: Path, name: str) -> None:
        if self._kept.is_dir() and not (self._kept / name).exists():
            os.link(content, self._kept / name)

    def _select(
        self, table: str, column: str, conditions: Sequence[Condition], limit: int
    ) -> list[tuple[str, ...]]:
        where = " AND ".join(condition.sql for condition in conditions) or "1"
        values = [value for condition in conditions for value in condition.values]
        return self._execute(
            f"SELECT {column} FROM {table} WHERE {where} ORDER BY number DESC LIMIT ?",  # noqa: S608 - the same
            (*values, limit),
        )
