"""Records half-done jobs: ``python -m tests.e2e.record_half_done CHECKOUT ARCHIVE``.

The checkout's local cloud is driven from outside and killed twice: with one job closed and one
whose batch has ended, then with one that runs, one that waits for a place and one that was not
submitted yet.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

import requests

from scripts.compare.checkout import BUCKET, drop, local_cloud
from tests.e2e.half_done import FILES
from tests.support.waiting import PATIENCE_S, wait_until

# The timer repairs nothing meanwhile, and no claim ends.
NEVER = tuple(
    part
    for name in ("ClaimLeaseS", "ReadyOverdueS", "PollAfterS", "FinishedOverdueS", "ResultsLateS")
    for part in ("--parameter", f"{name}=864000")
)
NOT_RECORDED = ("logs", "temporary", "uploads", "lock", "address.json", "answered-by.txt", "providers.txt")


class Recorded:
    """A local cloud that runs, and the folder that it works on."""

    def __init__(self, process: subprocess.Popen[str], data_dir: Path) -> None:
        self._bucket_dir = data_dir / BUCKET
        self._queue_dir = data_dir / ".localcloud" / "queue"
        self._gateway = next(line.split()[2] for line in process.stdout or () if "the page" in line)

    def lose_events_of(self, function: str) -> None:
        order = {"kind": "drop", "function": function}
        requests.post(f"{self._gateway}faults", json=order, timeout=PATIENCE_S).raise_for_status()

    def drop(self, *names: str) -> None:
        drop(self._bucket_dir, {name: FILES[name] for name in names})

    def until(self, folder: str, count: int, name: str = "*") -> None:
        wait_until(
            lambda: len(list((self._bucket_dir / folder).rglob(name))) == count, f"{count} in {folder}"
        )

    def wait_until_quiet(self) -> None:
        """Until only the timer's events are under way: others would be delivered again."""
        wait_until(lambda: not any(map(_is_undone, self._queue_dir.glob("*.json"))), "quiet")


def _is_undone(event: Path) -> bool:
    try:
        return b'"function": "Reconcile"' not in event.read_bytes()
    except FileNotFoundError:  # it has just been done
        return False


@contextlib.contextmanager
def killed_at_the_end(checkout: Path, data_dir: Path, *arguments: str) -> Iterator[Recorded]:
    with local_cloud(checkout, data_dir, *NEVER, *arguments) as process:
        cloud = Recorded(process, data_dir)
        yield cloud
        cloud.wait_until_quiet()
        process.kill()


def record(checkout: Path, data_dir: Path) -> None:
    with killed_at_the_end(checkout, data_dir) as cloud:
        cloud.drop("closed/batch.yaml", "finished/batch.yaml", "unsubmitted/batch.yaml")
        cloud.drop("closed/names.csv")
        cloud.until("results/closed", 1, "names.report.json")
        cloud.until("finished", 0, "*-00001")
        cloud.lose_events_of("Collect")
        cloud.drop("finished/names.csv")
        cloud.until("finished", 1, "*-00001")
    with killed_at_the_end(checkout, data_dir, "--batch-delay", "864000") as cloud:
        cloud.drop("running.jsonl")
        cloud.until("running", 3, "*-0000?")  # a shard whose batch has ended keeps its ticket
        cloud.until("ready", 0, "*-0000?")
        cloud.drop("waiting.jsonl")
        cloud.until("waiting", 1, "*-00001")
        cloud.lose_events_of("Submit")
        cloud.drop("unsubmitted/names.csv")
        cloud.until("jobs/uploads", 5, "*.done")
        cloud.until("ready", 2, "*-00001")


def pack(data_dir: Path, archive: Path) -> None:
    """Keep what a restart reads; what else lies there speaks of this machine only."""
    own_dir = data_dir / ".localcloud"
    for name in NOT_RECORDED:
        path = own_dir / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    for database in (own_dir / "index.sqlite", own_dir / "bailian" / "bailian.sqlite3"):
        with contextlib.closing(sqlite3.connect(database)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")  # one file instead of three
            connection.execute("VACUUM")
    with tarfile.open(archive, "w:gz") as packed:
        packed.add(data_dir, arcname=".", filter=_without_owner)


def _without_owner(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid, member.gid, member.uname, member.gname = 0, 0, "", ""
    return member


def main(checkout: str, archive: str) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        data_dir = Path(temporary, "data")
        record(Path(checkout).resolve(), data_dir)
        pack(data_dir, Path(archive))
    sys.stdout.write(json.dumps({"bytes": Path(archive).stat().st_size}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
