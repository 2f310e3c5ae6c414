"""One checkout's local cloud, driven from outside: a process and its folder, no modules."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

BUCKET = "batchdrop"
INBOX = "inbox/"
TICKETS = ("ready", "running", "finished", "waiting", "again")
UP = "Ctrl-C stops it"
# On a busy machine a file waits longer than the local cloud's sweep of lost uploads expects.
PATIENCE = "InboxSweepAfterS=600"
_STOP_S = 60.0
_PAUSE_S = 0.5


class NotFinished(Exception):
    """A cloud did not start, or files got neither a result nor a report in time."""


@dataclass(frozen=True)
class Side:
    """One checkout's outputs for the files.

    Attributes:
        bucket_dir: The bucket as a folder.
        started_s: Unix time, in whole seconds, before its cloud was started.
        ended_s: The same, after it was stopped.
    """

    bucket_dir: Path
    started_s: int
    ended_s: int


def run_checkout(
    checkout: Path, data_dir: Path, rounds: Sequence[Mapping[str, bytes]], deadline_s: float
) -> Side:
    """Drop one round of files after the other, and wait each time until every file has its end.

    Raises:
        NotFinished: With what is missing and where the logs are.
    """
    started_s = int(time.time())
    bucket_dir = data_dir / BUCKET
    with local_cloud(checkout, data_dir):
        for files in rounds:
            earlier = _reports(bucket_dir)
            drop(bucket_dir, files)
            _wait_for_all(data_dir, files, earlier, time.monotonic() + deadline_s)
    return Side(bucket_dir, started_s, int(time.time()) + 1)


def drop(bucket_dir: Path, files: Mapping[str, bytes]) -> None:
    """Write the files into ``inbox/`` as a person would copy them: the recipes first."""
    for name, content in sorted(files.items(), key=lambda file: starts_a_job(file[0])):
        path = bucket_dir / INBOX / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


@contextlib.contextmanager
def local_cloud(checkout: Path, data_dir: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """``python -m scripts.localcloud`` of a checkout, from its welcome until the block ends.

    Raises:
        NotFinished: It ended before it was up.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    log = data_dir.with_suffix(".log")
    command = [sys.executable, "-m", "scripts.localcloud", "--data", str(data_dir), "--parameter", PATIENCE]
    with log.open("ab") as errors:
        process = subprocess.Popen(
            [*command, *arguments],
            cwd=checkout,
            env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            encoding="utf-8",
        )
    with process:
        try:
            _read_until_up(process, log)
            yield process
        finally:
            _stop(process)


def _read_until_up(process: subprocess.Popen[str], log: Path) -> None:
    for line in process.stdout or ():
        if UP in line:
            return
    raise NotFinished(f"the local cloud did not start, see {log}")


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.communicate(timeout=_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()


def _wait_for_all(
    data_dir: Path, files: Mapping[str, bytes], earlier: Mapping[str, int], until_s: float
) -> None:
    bucket_dir = data_dir / BUCKET
    while missing := [*_open_files(bucket_dir, files, earlier), *_tickets(bucket_dir)]:
        if time.monotonic() > until_s:
            raise NotFinished(f"no end of {missing}, see {data_dir / '.localcloud' / 'logs'}")
        time.sleep(_PAUSE_S)


def _open_files(bucket_dir: Path, files: Mapping[str, bytes], earlier: Mapping[str, int]) -> list[str]:
    """Which of the dropped files have neither a result nor a report that was written since."""
    answered = set(_answered(bucket_dir))
    refused = _reports(bucket_dir).items() - earlier.items()
    refused_names = {name for name, _ in refused}
    return [
        name
        for name, content in files.items()
        if starts_a_job(name)
        and (INBOX + name, hashlib.md5(content).hexdigest()) not in answered  # noqa: S324 - OSS's ETag
        and f"{name}.report.txt" not in refused_names
    ]


def _reports(bucket_dir: Path) -> dict[str, int]:
    """The reports of refused files, with when each was written."""
    folder = bucket_dir / "rejected"
    found = {}
    for path in _files(folder):
        with contextlib.suppress(FileNotFoundError):  # it is being replaced or withdrawn
            found[path.relative_to(folder).as_posix()] = path.stat().st_mtime_ns
    return found


def starts_a_job(name: str) -> bool:
    """Whether a dropped file is an input; recipes and leftovers of programs are none."""
    file = name.rpartition("/")[2]
    return file not in {"batch.yaml", "batch.yml"} and not file.startswith((".", "~$"))


def _answered(bucket_dir: Path) -> Iterator[tuple[str, str]]:
    for path in _files(bucket_dir / "results"):
        if path.name.endswith(".report.json"):
            with contextlib.suppress(FileNotFoundError):  # it is being replaced
                source = json.loads(path.read_bytes())["source"]
                yield source["key"], source["etag"].strip('"').lower()


def _tickets(bucket_dir: Path) -> list[str]:
    found = (path for folder in TICKETS for path in _files(bucket_dir / folder))
    return [path.relative_to(bucket_dir).as_posix() for path in found]


def _files(folder: Path) -> Iterator[Path]:
    """All files below; unlike ``rglob``, ``os.walk`` bears folders that vanish meanwhile."""
    for place, _, names in os.walk(folder):
        yield from (Path(place, name) for name in names)
