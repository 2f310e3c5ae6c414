"""The local Bailian alone: its built-in answers, and what it gets out of an upstream.

Run as ``python -m scripts.benchmarks.answers``.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

ROOT = Path(__file__).resolve().parents[3]
KEY, CHAT = "sk-bench", "/v1/chat/completions"
ROWS_A_FILE, AT_ONCE = 50_000, 64
_WORDS = ("物流很快，", "质量不错，", "包装破损，", "fast delivery, ", "fine quality. ")


@dataclass(frozen=True)
class Answered:
    """All batches of one run: from the first upload until the last has ended, and the download."""

    rows: int
    wall_s: float
    cpu_s: float


def write_requests(path: Path, rows: int) -> None:
    rng = random.Random(rows)
    with path.open("w", encoding="utf-8") as file:
        for number in range(rows):
            text = "".join(rng.choices(_WORDS, k=rng.randint(4, 30)))
            body = {"model": "qwen-flash", "messages": [{"role": "user", "content": text}]}
            line = {"custom_id": f"q-{number}", "method": "POST", "url": CHAT, "body": body}
            file.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")


@contextmanager
def service(module: str, *arguments: str) -> Iterator[tuple[int, str]]:
    """Its process id and address, as long as the block takes."""
    command = [sys.executable, "-m", f"scripts.benchmarks.{module}", *arguments]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        if process.stdout is None:  # never with PIPE; tells the type checker
            raise AssertionError
        yield process.pid, process.stdout.readline().split()[1]
    finally:
        process.terminate()
        process.communicate()


def answered(folder: Path, file: Path, files: int, *upstream: str) -> Answered:
    """Have the file answered so many times, in as many batches.

    Raises:
        SystemExit: A row got no answer.
    """
    with (
        tempfile.TemporaryDirectory(dir=folder) as data,
        service("stages.bailian", data, KEY, *upstream) as (pid, url),
        requests.Session() as session,
    ):
        session.headers["Authorization"] = f"Bearer {KEY}"
        started_s, before_s = time.monotonic(), _cpu_s(pid)
        batches = [_create(session, url, file) for _ in range(files)]
        ended = [_ended(session, url, batch) for batch in batches]
        wall_s = time.monotonic() - started_s
        return Answered(sum(ended), wall_s, _cpu_s(pid) - before_s)


def _create(session: requests.Session, url: str, file: Path) -> str:
    with file.open("rb") as content:
        uploaded = session.post(f"{url}/files", files={"file": content}, data={"purpose": "batch"}).json()
    body = {"input_file_id": uploaded["id"], "endpoint": CHAT, "completion_window": "24h"}
    return str(session.post(f"{url}/batches", json=body).json()["id"])


def _ended(session: requests.Session, url: str, batch_id: str) -> int:
    """How many rows it answered; its results are downloaded."""
    while (batch := session.get(f"{url}/batches/{batch_id}").json())["status"] != "completed":
        if batch["status"] in {"failed", "expired", "cancelled"}:
            raise SystemExit(f"The batch ended as {batch}")
        time.sleep(0.1)
    with session.get(f"{url}/files/{batch['output_file_id']}/content", stream=True) as content:
        lines: int = sum(chunk.count(b"\n") for chunk in content.iter_content(256 * 1024))
    if lines != batch["request_counts"]["total"]:
        raise SystemExit(f"{lines} lines came of {batch['request_counts']}")
    return lines


def _cpu_s(pid: int) -> float:
    # utime and stime are the 14th and 15th field:
    # https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def built_in(folder: Path, files: int, rounds: int) -> str:
    file = folder / "built-in.jsonl"
    write_requests(file, ROWS_A_FILE)
    runs = [answered(folder, file, files) for _ in range(rounds)]
    best = min(runs, key=lambda run: run.cpu_s)
    size_mb = file.stat().st_size * files / 1e6
    told = f"{best.rows:,} rows | {size_mb:.0f} | {best.wall_s:.1f} | {best.cpu_s:.1f}"
    lines = ("| built-in answers | MB | s | CPU s | rows/s a core |", "|---|--:|--:|--:|--:|")
    return "\n".join([*lines, f"| {told} | {best.rows / best.cpu_s:,.0f} |"])


def beside_a_bare_client(folder: Path, rows: int, rounds: int) -> str:
    """Both send the same rows to the same upstream, in turn."""
    file = folder / "upstream.jsonl"
    write_requests(file, rows)
    runs: dict[str, list[Answered]] = {"local Bailian": [], "aiohttp": []}
    with service("answers.upstream") as (_, upstream):
        for _ in range(rounds):
            runs["local Bailian"].append(answered(folder, file, 1, upstream, str(AT_ONCE)))
            runs["aiohttp"].append(_bare(file, rows, upstream))
    rates = {name: statistics.median(run.rows / run.wall_s for run in each) for name, each in runs.items()}
    cpu_us = {name: 1e6 * min(run.cpu_s for run in each) / rows for name, each in runs.items()}
    told = [f"| {name} | {rates[name]:,.0f} | {cpu_us[name]:.0f} |" for name in runs]
    ratio = rates["local Bailian"] / rates["aiohttp"]
    head = f"| {AT_ONCE} at once, 1 ms | rows/s: {ratio:.2f} of the bare client's | CPU µs a row |"
    return "\n".join([head, "|---|--:|--:|", *told])


def _bare(file: Path, rows: int, upstream: str) -> Answered:
    module = "scripts.benchmarks.answers.bare_client"
    command = [sys.executable, "-m", module, str(file), upstream, str(AT_ONCE)]
    said = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    wall_s, cpu_s = map(float, said.split())
    return Answered(rows, wall_s, cpu_s)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.benchmarks.answers", description=__doc__)
    parser.add_argument("--files", type=int, default=4, help="batches of 50,000 rows")
    parser.add_argument("--rows", type=int, default=40_000, help="for the upstream")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        if options.files:
            print(built_in(Path(folder), options.files, options.rounds), end="\n\n")
        if options.rows:
            print(beside_a_bare_client(Path(folder), options.rows, options.rounds))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
