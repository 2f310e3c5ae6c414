"""CSVs of 10,000 to 5,000,000 rows, end to end on a local cloud.

Run as ``python -m scripts.benchmarks.linear``. With ``--by-hand`` each table also goes by scripts,
through the same local Bailian, once Batchdrop is done with it.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.benchmarks.paths.agree import digest
from scripts.benchmarks.stages.process import peak_bytes
from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.options import CloudOptions
from shared.bucket.keys import Stage
from shared.bucket.records.ledger import Ledger

ROWS = (10_000, 100_000, 1_000_000, 5_000_000)
ROOT = Path(__file__).resolve().parents[2]
# The test model's shards hold 100 lines; any other name has the real limit of 50,000.
RECIPE = 'model: qwen-flash\nprompt: "{{ text }}"\n'
_WORDS = (
    "物流很快，",
    "质量不错，",
    "价格便宜，",
    "包装破损，",
    "继续观察。",
    "fast delivery, ",
    "fine quality. ",
)
_LOOK_EVERY_S = 0.5
_DEADLINE_S = 7200.0


@dataclass(frozen=True)
class EndToEnd:
    """One file, from its drop to its closed ledger, with each function's peak memory so far.

    Attributes:
        services_cpu_s: Of the process with the local OSS and Bailian.
        functions_cpu_s: Of their instances, starts and ends included.
    """

    rows: int
    shards: int
    wall_s: float
    services_cpu_s: float
    functions_cpu_s: float
    peaks: dict[str, int]
    by_hand: ByHand | None = None


@dataclass(frozen=True)
class ByHand:
    """The same table by the scripts of the documentation."""

    wall_s: float
    cpu_s: float
    peak_bytes: int


def write_table(path: Path, rows: int) -> None:
    rng = random.Random(rows)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["custom_id", "text"])
        for number in range(1, rows + 1):
            writer.writerow([f"q-{number}", "".join(rng.choices(_WORDS, k=rng.randint(4, 30)))])


def run(folder: Path, rows: int, *, by_hand: bool = False) -> EndToEnd:
    """Drop a table into a fresh local cloud and wait for its result.

    Raises:
        SystemExit: A row is missing, it does not end in time, or the scripts have other answers.
    """
    table = folder / f"{rows}.csv"
    write_table(table, rows)
    before = os.times()
    with LocalCloud(CloudOptions(folder / f"cloud-{rows}")) as cloud:
        peaks: dict[str, int] = {}
        started_s = time.monotonic()
        dropped, result = _drop(cloud, table)
        _wait(cloud, result.with_suffix(".report.json"), started_s + _DEADLINE_S, peaks)
        wall_s, after = time.monotonic() - started_s, os.times()
        ledger = Ledger.model_validate_json(result.with_suffix(".report.json").read_bytes())
        if not ledger.adds_up or ledger.by_status != {"answered": rows}:
            raise SystemExit(f"{rows} rows went in; these came out: {ledger.by_status}")
        beside = run_by_hand(folder, cloud, dropped, result) if by_hand else None
    ended = os.times()
    services_cpu_s = after.user + after.system - before.user - before.system
    functions_cpu_s = (
        ended.children_user + ended.children_system - before.children_user - before.children_system
    ) - (beside.cpu_s if beside else 0.0)
    return EndToEnd(rows, ledger.shards, wall_s, services_cpu_s, functions_cpu_s, peaks, beside)


def _drop(cloud: LocalCloud, table: Path) -> tuple[Path, Path]:
    """Where the table lies from now on, and where its result will."""
    inbox = cloud.bucket_dir / "inbox" / "linear"
    inbox.mkdir(parents=True)
    (inbox / "batch.yaml").write_text(RECIPE)
    return table.rename(inbox / table.name), cloud.bucket_dir / "results" / "linear" / table.name


def _wait(cloud: LocalCloud, report: Path, deadline_s: float, peaks: dict[str, int]) -> None:
    while not report.exists() or _has_tickets(cloud):
        if time.monotonic() > deadline_s:
            raise SystemExit(f"It did not end within {_DEADLINE_S:.0f} s; see {cloud.logs_dir}")
        time.sleep(_LOOK_EVERY_S)
        _look(cloud, peaks)
    _look(cloud, peaks)


def run_by_hand(folder: Path, cloud: LocalCloud, table: Path, result: Path) -> ByHand:
    """A process of its own, as a person starts one.

    Raises:
        subprocess.CalledProcessError: It failed.
        SystemExit: What it wrote holds other answers than ``result``.
    """
    if cloud.bailian is None:
        raise AssertionError
    work = folder / "by-hand"
    work.mkdir()
    command = [sys.executable, "scripts/benchmarks/by_hand.py", str(table), str(work)]
    env = {**os.environ, "OPENAI_BASE_URL": cloud.bailian.base_url, "OPENAI_API_KEY": cloud.api_key}
    started_s = time.monotonic()
    said = subprocess.run(command, cwd=ROOT, env=env, check=True, stdout=subprocess.PIPE).stdout
    wall_s = time.monotonic() - started_s
    ours, theirs = (digest("answers", [path]) for path in (result, work / "results.csv"))
    if ours != theirs:
        raise SystemExit(f"the answers differ: {ours}, by hand {theirs}")
    return ByHand(wall_s, **json.loads(said))


def _has_tickets(cloud: LocalCloud) -> bool:
    places = (cloud.bucket_dir / stage.value for stage in Stage)
    return any(path.is_file() for place in places if place.is_dir() for path in place.rglob("*"))


def _look(cloud: LocalCloud, peaks: dict[str, int]) -> None:
    """Note the peaks of all running instances; the kernel remembers them, so none is missed."""
    for pool in cloud.host.pools.values():
        name = pool.spec.log_path.stem
        peaks[name] = max([peaks.get(name, 0), *(peak_bytes(pid) for pid in pool.pids)])


def table(runs: Sequence[EndToEnd]) -> str:
    names = sorted({name for run in runs for name in run.peaks})
    heads = " | ".join(f"{name} MB" for name in names)
    lines = [
        f"| rows | shards | s | rows/s | services CPU s | functions CPU s | {heads} |",
        "|" + "--:|" * (6 + len(names)),
    ]
    for each in runs:
        peaks = " | ".join(f"{each.peaks.get(name, 0) / 1e6:.0f}" for name in names)
        lines.append(
            f"| {each.rows:,} | {each.shards} | {each.wall_s:.1f} | {each.rows / each.wall_s:,.0f} "
            f"| {each.services_cpu_s:.1f} | {each.functions_cpu_s:.1f} | {peaks} |"
        )
    return "\n".join(lines)


def table_by_hand(runs: Sequence[EndToEnd]) -> str:
    lines = [
        "| rows | Batchdrop s | by hand s | ratio | functions CPU s | by hand CPU s | largest instance MB | by hand MB |",
        "|" + "--:|" * 8,
    ]
    for each in runs:
        if (beside := each.by_hand) is not None:
            peak_mb = max(each.peaks.values()) / 1e6
            lines.append(
                f"| {each.rows:,} | {each.wall_s:.1f} | {beside.wall_s:.1f} | {each.wall_s / beside.wall_s:.2f} "
                f"| {each.functions_cpu_s:.1f} | {beside.cpu_s:.1f} | {peak_mb:.0f} | {beside.peak_bytes / 1e6:.0f} |"
            )
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.benchmarks.linear", description=__doc__)
    parser.add_argument("rows", nargs="*", type=int, default=ROWS)
    parser.add_argument("--folder", type=Path, help="where the bucket is while it is measured")
    parser.add_argument("--by-hand", action="store_true", help="measure the scripts of the documentation too")
    options = parser.parse_args(arguments)
    runs = []
    for rows in options.rows:
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            runs.append(run(Path(folder), rows, by_hand=options.by_hand))
            print(f"{rows} rows: {runs[-1].wall_s:.1f} s", file=sys.stderr, flush=True)
    print(f"{os.cpu_count()} cores; seconds from the drop of the file to its closed ledger\n")
    print(table(runs))
    if options.by_hand:
        print(f"\n{table_by_hand(runs)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
