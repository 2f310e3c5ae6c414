"""The two result files of a batch while they grow, and how they are published."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from io import FileIO
from itertools import islice
from pathlib import Path
from typing import Any

from scripts.localcloud.bailian.batches.built_in_answers import Answer, Request, response_of
from scripts.localcloud.bailian.batches.input_lines import cut_torn_line
from scripts.localcloud.bailian.database import Database
from scripts.localcloud.bailian.files_and_batches import RequestCounts, StoredFile, result_file_id
from shared.formats.json.compact import compact_json

OUTPUT, ERRORS = "output", "errors"


class ResultFiles:
    """Result lines in the order in which rows finish; what is written survives a restart.

    Attributes:
        done: The custom_ids that need no answer any longer.
        counts: What the batch shows.
    """

    def __init__(self, database: Database, batch_id: str, total: int) -> None:
        self._paths = {kind: database.work_path(batch_id, kind) for kind in (OUTPUT, ERRORS)}
        self._database = database
        self._batch_id = batch_id
        self._files: dict[str, FileIO] = {}
        self.done: set[str] = set()
        self.counts = RequestCounts(total=total)
        for kind, path in self._paths.items():
            if not path.exists():
                # An interrupted end may have published it already.
                database.withdraw_file(result_file_id(batch_id, kind), path)
            cut_torn_line(path)
            for custom_id in _custom_ids(path):
                self._count(custom_id, failed=kind == ERRORS)

    def __enter__(self) -> ResultFiles:
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files.values():
            file.close()

    def add(self, request: Request, answer: Answer) -> None:
        """Write a row's line and count the row; a lost row counts as completed, unwritten."""
        if not answer.is_lost:
            self._write(ERRORS if answer.in_error_file else OUTPUT, _result_line(request.custom_id, answer))
        self._count(request.custom_id, failed=answer.in_error_file)

    def repeat_lines(self, count: int) -> None:
        """Repeat the first output lines."""
        if self._paths[OUTPUT].exists():
            with self._paths[OUTPUT].open("rb") as file:
                repeated = list(islice(file, count))
            for line in repeated:
                self._write(OUTPUT, line)

    def add_unknown_lines(self, count: int) -> None:
        """Write output lines for requests that were never made."""
        for index in range(count):
            answer = Answer(response=response_of(200, {}))
            self._write(OUTPUT, _result_line(f"unknown-{index + 1}", answer))

    def publish(self, kind: str, created_at: int) -> str | None:
        """Make the file downloadable and return its id; ``None`` if no line was written."""
        part = self._paths[kind]
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

    def _count(self, custom_id: str, *, failed: bool) -> None:
        self.done.add(custom_id)
        field = "failed" if failed else "completed"
        self.counts = self.counts.model_copy(update={field: getattr(self.counts, field) + 1})

    def _write(self, kind: str, line: bytes) -> None:
        if kind not in self._files:
            # Unbuffered: an answer that an upstream was paid for must outlive this process.
            self._files[kind] = self._paths[kind].open("ab", buffering=0)
        self._files[kind].write(line)


def _result_line(custom_id: str, answer: Answer) -> bytes:
    identity = (answer.response or {}).get("request_id") or str(uuid.uuid4())
    line: dict[str, Any] = {
        "id": identity,
        "custom_id": custom_id,
        "response": answer.response,
        "error": answer.error,
    }
    try:
        return compact_json(line).encode() + b"\n"
    except UnicodeEncodeError:
        # A lone surrogate can only travel as an escape.
        return json.dumps(line, separators=(",", ":")).encode() + b"\n"


def _custom_ids(path: Path) -> Iterator[str]:
    if path.exists():
        with path.open("rb") as file:
            for line in file:
                yield json.loads(line)["custom_id"]
