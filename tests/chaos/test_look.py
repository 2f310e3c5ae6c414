"""What a run goes by: the provider's books, and what is left behind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scripts.localcloud.bailian.database import Database
from scripts.localcloud.bailian.files_and_batches import Batch, StoredFile
from scripts.localcloud.bailian.service_faults import BatchFault
from shared.bucket.slot_keys import Slot
from tests.chaos.books import BookedBatch, read_books
from tests.chaos.cloud import BUCKET
from tests.chaos.dropped import DroppedFile, Row
from tests.chaos.look import FOREIGN_FILE, Look

NAME = "batchdrop-0000000000000001-1-00001"
FILE = DroppedFile("inbox/csv/a.csv", b"name\nAda\n", rows=(Row({"name": "Ada"}, "Say Ada"),))


def written(tmp_path: Path, text: object) -> Path:
    path = tmp_path / "content"
    path.write_text(json.dumps(text) + "\n")
    return path


def stored(file_id: str, filename: str, purpose: str) -> StoredFile:
    return StoredFile(id=file_id, bytes=1, filename=filename, purpose=purpose, created_at=1)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    """With one batch of ours, whose only row is answered, and somebody else's file."""
    folder = tmp_path / ".localcloud" / "bailian"
    (folder / "kept").mkdir(parents=True)
    (tmp_path / BUCKET).mkdir()
    database = Database(folder)
    body = {"model": "qwen-flash", "messages": [{"role": "user", "content": "Say Ada"}]}
    line = {"custom_id": "1", "method": "POST", "url": "/v1/chat/completions", "body": body}
    database.add_file(stored("in", f"{NAME}.jsonl", "batch"), written(tmp_path, line))
    database.add_file(stored("theirs", FOREIGN_FILE, "batch"), written(tmp_path, line))
    batch = Batch(
        id="batch_1",
        endpoint="/v1/chat/completions",
        input_file_id="in",
        completion_window="24h",
        status="completed",
        created_at=1,
        metadata={"ds_name": NAME},
    )
    database.add_batch(batch, BatchFault(), database.path_of("in"))
    answer = {"status_code": 200, "body": {"choices": [{"message": {"content": "Ada"}}]}}
    result = {"custom_id": "1", "response": answer, "error": None}
    database.add_file(stored("out", "batch_1_success.jsonl", "batch_output"), written(tmp_path, result))
    return database


def test_the_books_say_what_was_asked_and_answered_whoever_deletes_the_files(
    database: Database, tmp_path: Path
) -> None:
    for file_id in ("in", "out"):
        database.delete_file(file_id)
    database.close()

    assert read_books(tmp_path) == [
        BookedBatch("batch_1", NAME, True, ("Say Ada",), {"Say Ada": "Ada"}),
    ]


def test_tickets_slots_and_our_files_at_the_provider_are_left(database: Database, tmp_path: Path) -> None:
    for key in ("ready/0000000000000001/1-00001", "open/0000000000000001", Slot("bailian", 1, 1).key):
        path = tmp_path / BUCKET / key
        path.parent.mkdir(parents=True)
        path.write_bytes(b"{}")
    database.delete_file("in")
    database.close()

    assert Look(tmp_path).left() == [
        "ready/0000000000000001/1-00001",
        "open/0000000000000001",
        "1 slots of bailian",
        "the provider's batch_1_success.jsonl",
    ]


def test_nothing_is_left_once_our_files_are_gone(database: Database, tmp_path: Path) -> None:
    for file_id in ("in", "out"):
        database.delete_file(file_id)
    database.close()

    assert Look(tmp_path).left() == []
    assert Look(tmp_path).missing() == []


def test_somebody_elses_file_must_stay(database: Database, tmp_path: Path) -> None:
    database.delete_file("theirs")
    database.close()

    assert Look(tmp_path).missing() == [f"the provider's {FOREIGN_FILE}"]


def test_a_text_of_an_erased_file_is_found_wherever_it_lies(tmp_path: Path) -> None:
    for key in (FILE.key, "work/0000000000000001/rows"):
        path = tmp_path / BUCKET / key
        path.parent.mkdir(parents=True)
        path.write_bytes(FILE.content)

    assert Look(tmp_path).quotes(FILE) == [
        f"the text of erased {FILE.key} in work/0000000000000001/rows",
    ]
