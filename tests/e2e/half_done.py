"""Opens a data folder that an older version was stopped in, as if that were a minute ago."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import sqlite3
import tarfile
import time
from datetime import datetime, timedelta
from pathlib import Path

from scripts.localcloud.storage.content import Digest

ARCHIVE = Path(__file__).parents[1] / "payloads" / "half-done-c94d3d7" / "data.tar.gz"
BUCKET = "batchdrop"
STOPPED_AGO_S = 60
_TIME = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")


def _test_line(number: int) -> bytes:
    body = {"model": "batch-test-model", "messages": [{"role": "user", "content": "hello"}]}
    line = {"custom_id": f"q-{number}", "method": "POST", "url": "/v1/chat/ds-test", "body": body}
    return json.dumps(line).encode() + b"\n"


RECIPE = b"model: qwen-flash\nprompt: 'JSON: [[say]]{{ answer }}'\ncolumns: {mood: mood}\n"
TABLE = b'name,answer\nAda,"{""mood"": ""=good""}"\nBob,no JSON\n'
# What was dropped into the recorded folder, by the states in which its jobs were stopped.
FILES = {
    "closed/batch.yaml": RECIPE,
    "closed/names.csv": TABLE,
    "finished/batch.yaml": RECIPE + b"output: {format: jsonl}\n",
    "finished/names.csv": TABLE,
    "running.jsonl": b"".join(_test_line(number) for number in range(101)),
    "waiting.jsonl": _test_line(0) + _test_line(1),
    "unsubmitted/batch.yaml": RECIPE + b"on_bad_rows: skip\n",
    "unsubmitted/names.csv": TABLE + b"Eve\n",
}


def open_half_done(data_dir: Path) -> None:
    """Unpack the folder and shift each of its times, so that no deadline in it is ever over.

    The names in which times stand are left alone: they only sort the versions of a file.
    """
    with tarfile.open(ARCHIVE) as packed:
        packed.extractall(data_dir, filter="data")
    index = data_dir / ".localcloud" / "index.sqlite"
    with contextlib.closing(sqlite3.connect(index)) as objects:
        ((last_s,),) = objects.execute("SELECT max(modified_s) FROM objects")
        shift_s = int(time.time()) - STOPPED_AGO_S - last_s
        _shift_objects(objects, data_dir, shift_s)
        objects.commit()
    with contextlib.closing(
        sqlite3.connect(data_dir / ".localcloud" / "bailian" / "bailian.sqlite3")
    ) as bailian:
        for table in ("files", "batches"):
            _shift_table(bailian, table, shift_s)
        bailian.commit()


def forget_submission(data_dir: Path, attempt: str, like: str) -> None:
    """Leave what a kill after the create of the batch would have left: a claim and no submission.

    Args:
        data_dir: The opened folder.
        attempt: What is running, as in ``<job>/1-00002``.
        like: What has a ticket in ``ready/``; the attempt's own was the same.
    """
    bucket_dir = data_dir / BUCKET
    submission = bucket_dir / "jobs" / attempt / "submission.json"
    pointer = f"batches/bailian/{json.loads(submission.read_bytes())['batch_id']}"
    ready, pattern = f"ready/{attempt}", f"ready/{like}"
    (bucket_dir / ready).parent.mkdir(parents=True)
    shutil.copy2(bucket_dir / pattern, bucket_dir / ready)
    with contextlib.closing(sqlite3.connect(data_dir / ".localcloud" / "index.sqlite")) as objects:
        for key in (f"jobs/{attempt}/submission.json", f"running/{attempt}", pointer):
            (bucket_dir / key).unlink()
            objects.execute("DELETE FROM objects WHERE key = ?", (key.encode(),))
        row = list(objects.execute("SELECT * FROM objects WHERE key = ?", (pattern.encode(),)).fetchone())
        row[1:3] = ready.encode(), f"{BUCKET}/{ready}"
        objects.execute(f"INSERT INTO objects VALUES ({', '.join('?' * len(row))})", row)  # noqa: S608 - ours
        objects.commit()


def _shift_objects(objects: sqlite3.Connection, data_dir: Path, shift_s: int) -> None:
    """The index, too: a file that differs from it would be taken for a new upload."""
    for key, file in objects.execute("SELECT key, file FROM objects").fetchall():
        path = data_dir / file
        path.write_bytes(_shifted(path.read_bytes(), shift_s))
        digest = Digest()
        digest.add(path.read_bytes())
        objects.execute(
            "UPDATE objects SET mtime_ns = ?, modified_s = modified_s + ?, etag = ?, crc64 = ? WHERE key = ?",
            (path.stat().st_mtime_ns, shift_s, digest.etag(), str(digest.crc64), key),
        )


def _shifted(content: bytes, shift_s: int) -> bytes:
    def later(match: re.Match[bytes]) -> bytes:
        time_of = datetime.fromisoformat(match[0].decode()) + timedelta(seconds=shift_s)
        return time_of.isoformat().encode()

    return _TIME.sub(later, content)


def _shift_table(bailian: sqlite3.Connection, table: str, shift_s: int) -> None:
    for number, text in bailian.execute(f"SELECT number, json FROM {table}").fetchall():  # noqa: S608 - ours
        fields = {
            name: value + shift_s if name.endswith("_at") and value else value
            for name, value in json.loads(text).items()
        }
        bailian.execute(
            f"UPDATE {table} SET json = ?, created_at = created_at + ? WHERE number = ?",  # noqa: S608 - ours
            (json.dumps(fields), shift_s, number),
        )
