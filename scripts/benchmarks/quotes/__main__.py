"""What the quote, a ceiling and a sample cost ``validate``, in pairs of runs on the same file.

Run by ``scripts/bench --quotes``. Each run is a process of its own, in alternating order; every
figure is to the run of its round that counts no tokens.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.benchmarks.paths.data import Texts
from scripts.benchmarks.quotes.process import PRICES

ROOT = Path(__file__).resolve().parents[3]
GOAL = 1.1
_CHARS = (60, 440)
_HEAD = '"method":"POST","url":"/v1/chat/completions","body":{"model":"qwen-flash","messages":[{"role":"user","content":'


@dataclass(frozen=True)
class Pairs:
    """CPU seconds of each way on one file, round by round."""

    name: str
    size_bytes: int
    cpu_s: dict[str, list[float]]

    def ratio(self, way: str) -> float:
        """The median over all rounds."""
        return statistics.median(
            found / bare for found, bare in zip(self.cpu_s[way], self.cpu_s["uncounted"], strict=True)
        )


def write_requests(path: Path, rows: int) -> None:
    """Every line has the same parameters."""
    _write_lines(path, rows, lambda _: 50)


def write_own(path: Path, rows: int) -> None:
    """Lines have 700 different sets of parameters."""
    _write_lines(path, rows, lambda number: 50 + number % 700)


def _write_lines(path: Path, rows: int, max_tokens: Callable[[int], int]) -> None:
    texts = Texts(random.Random(1), *_CHARS)
    with path.open("w", encoding="utf-8", newline="") as file:
        for number in range(rows):
            own = f'"max_tokens":{max_tokens(number)},"enable_thinking":false'
            file.write(f'{{"custom_id":"request-{number}",{_HEAD}{texts.pick()}}}],{own}}}}}\n')


def write_table(path: Path, rows: int) -> None:
    rng = random.Random(1)
    texts = Texts(rng, *_CHARS).plain
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["编号", "内容"])
        writer.writerows([f"q-{number}", f"{number} {rng.choice(texts)}"] for number in range(rows))


FILES: dict[str, tuple[str, Callable[[Path, int], None]]] = {
    "JSONL": ("requests.jsonl", write_requests),
    "JSONL, 700 sets of parameters": ("own.jsonl", write_own),
    "CSV": ("table.csv", write_table),
}


def measured(folder: Path, name: str, rows: int, rounds: int) -> Pairs:
    """Write the file and plan it in every way, in a turned order in every other round.

    Raises:
        SystemExit: Not all rows were planned.
    """
    file_name, write = FILES[name]
    path = folder / file_name
    write(path, rows)
    cpu_s: dict[str, list[float]] = {way: [] for way in PRICES}
    for number in range(rounds):
        for way in PRICES if number % 2 == 0 else reversed(PRICES):
            cpu_s[way].append(_run(way, path, rows))
    return Pairs(name, path.stat().st_size, cpu_s)


def _run(way: str, path: Path, rows: int) -> float:
    command = [sys.executable, "-m", "scripts.benchmarks.quotes.process", way, str(path)]
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(command, cwd=ROOT, env=env, check=True, stdout=subprocess.PIPE)
    said = json.loads(done.stdout)
    if said["requests"] != rows:
        raise SystemExit(f"{way}: {said['requests']} of {rows} rows were planned")
    return float(said["cpu_s"])


def table(found: Sequence[Pairs], rows: int) -> str:
    """Markdown."""
    ways = [way for way in PRICES if way != "uncounted"]
    lines = [
        f"| {rows:,} rows | MB | uncounted, CPU s | {' | '.join(ways)} | goal |",
        f"|---|--:|--:|{'--:|' * len(ways)}---|",
    ]
    for each in found:
        ratios = [each.ratio(way) for way in ways]
        bare_s = statistics.median(each.cpu_s["uncounted"])
        told = " | ".join(f"{ratio:.2f} ×" for ratio in ratios)
        met = "met" if max(ratios) <= GOAL else "MISSED"
        lines.append(
            f"| {each.name} | {each.size_bytes / 1e6:.0f} | {bare_s:.2f} | {told} | ≤ {GOAL} ×: {met} |"
        )
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench --quotes", description=__doc__)
    parser.add_argument("files", nargs="*", default=list(FILES), help=f"of {'; '.join(FILES)}")
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(arguments)
    found = []
    for name in options.files:
        with tempfile.TemporaryDirectory() as folder:
            found.append(measured(Path(folder), name, options.rows, options.rounds))
    print(table(found, options.rows))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
