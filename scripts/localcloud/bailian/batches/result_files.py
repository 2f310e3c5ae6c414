"""The two result files of a batch, and how they are published."""

from __future__ import annotations

from scripts.localcloud.answers.result_lines import ERRORS, OUTPUT, ResultLines
from scripts.localcloud.bailian.database import Database
from scripts.localcloud.bailian.files_and_batches import RequestCounts, StoredFile, result_file_id


class ResultFiles(ResultLines):
    """Result lines that become files of the account."""

    def __init__(self, database: Database, batch_id: str, total: int) -> None:
        self._database = database
        self._batch_id = batch_id
        self._total = total
        paths = {kind: database.work_path(batch_id, kind) for kind in (OUTPUT, ERRORS)}
        for kind, path in paths.items():
            if not path.exists():
                # An interrupted end may have published it already.
                database.withdraw_file(result_file_id(batch_id, kind), path)
        super().__init__(paths)

    def __enter__(self) -> ResultFiles:
        return self

    @property
    def counts(self) -> RequestCounts:
        """What the batch shows."""
        return RequestCounts(total=self._total, completed=self.completed, failed=self.failed)

    def publish(self, kind: str, created_at: int) -> str | None:
        """Make the file downloadable and return its id; ``None`` if no line was written."""
        part = self.paths[kind]
        if not part.exists():
            return None
        file_id = result_file_id(self._batch_id, kind)
        filename = f"{self._batch_id}_{'success' if kind == OUTPUT else 'error'}.jsonl"
        stored = StoredFile(
            id=file_id,
            bytes=part.stat().st_size,
            filename=filename,
            purpose="batch_output",
            created_at=created_at,
        )
        self._database.add_file(stored, part)
        return file_id
