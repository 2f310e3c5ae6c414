"""The local provider's own books: every batch that it ever made, what it was asked and answered."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.localcloud.answers.built_in_answers import Request, prompt_of
from scripts.localcloud.bailian.files_and_batches import Batch
from scripts.localcloud.bailian.service_faults import BatchFault
from shared.bucket.attempt import parse_batch_name


@dataclass(frozen=True)
class BookedBatch:
    """One batch; ``answered`` has the answers by prompt, of the rows of ``asked`` that got one."""

    batch_id: str
    name: str
    has_ended: bool
    asked: tuple[str, ...]
    answered: Mapping[str, str]
    is_spoilt: bool = False

    @property
    def is_ours(self) -> bool:
        return parse_batch_name(self.name) is not None


def read_books(data_dir: Path) -> list[BookedBatch]:
    """All batches in the order of their creation, whatever files were deleted since."""
    folder = data_dir / ".localcloud" / "bailian"
    with closing(sqlite3.connect(folder / "bailian.sqlite3")) as database:
        rows = database.execute("SELECT json, fault FROM batches ORDER BY number").fetchall()
    return [
        _booked(folder / "kept", Batch.model_validate_json(batch), fault != BatchFault().model_dump_json())
        for batch, fault in rows
    ]


def file_names(data_dir: Path) -> list[str]:
    """The files that the provider has now."""
    with closing(sqlite3.connect(data_dir / ".localcloud" / "bailian" / "bailian.sqlite3")) as database:
        rows = database.execute("SELECT json FROM files ORDER BY number").fetchall()
    return [str(json.loads(row)["filename"]) for (row,) in rows]


def _booked(kept: Path, batch: Batch, is_spoilt: bool) -> BookedBatch:
    prompts = {
        line["custom_id"]: prompt_of(Request(line["custom_id"], line["url"], line["body"]))
        for line in _lines(kept / f"{batch.id}_input.jsonl")
    }
    answers = {
        line["custom_id"]: _answer(line)
        for end in ("success", "error")
        for line in _lines(kept / f"{batch.id}_{end}.jsonl")
        if _is_answered(line)
    }
    answered = {prompts[each]: text for each, text in answers.items() if each in prompts}
    return BookedBatch(batch.id, batch.name, batch.is_terminal, tuple(prompts.values()), answered, is_spoilt)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    if path.exists():
        with path.open("rb") as file:
            yield from map(json.loads, file)


def _is_answered(line: Mapping[str, Any]) -> bool:
    return line["error"] is None and line["response"]["status_code"] == 200


def _answer(line: Mapping[str, Any]) -> str:
    choices = line["response"]["body"].get("choices")
    return str(choices[0]["message"]["content"]) if choices else ""
