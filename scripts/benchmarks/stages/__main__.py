"""Whole stages over HTTP, beside the plain way to move the same bytes.

Run as ``python -m scripts.benchmarks.stages``.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from scripts.benchmarks.measure import Repeated
from scripts.benchmarks.stages.cloud import FINISHED, OUTPUT_FILE, ROOT, Measured, StageCloud

INPUT = "inbox/requests.jsonl"
RESULTS = "bench/results.jsonl"
EXPECTED: dict[str, object] = {"validate": ["planned"], "submit": ["submitted"], "collect": ["final"]}
MAX_STAGE_RATIO, MAX_READ_RATIO, MAX_PEAK_MB = 1.5, 1.35, 160


@dataclass
class Stage(Repeated):
    """One thing that is measured; ``prepare`` runs before each time and does not count."""

    name: str
    what: str
    subject: Callable[[], str]
    prepare: Callable[[], None] = lambda: None
    baseline: str = ""
    max_ratio: float = 0.0
    runs: list[Measured] = field(default_factory=list)

    @property
    def services_cpu_s(self) -> float:
        return statistics.median(run.services_cpu_s for run in self.runs)

    @property
    def peak_mb(self) -> float:
        return self.peak_bytes / 1e6


def make_data(folder: Path, size_mb: int, seed: int) -> None:
    """In processes of their own, so that this one stays small."""
    for case in (f"validate-{size_mb}", _results_case(size_mb)):
        if not (folder / case).exists():
            _run("scripts.benchmarks.paths.data", case, str(folder / case), str(seed))
    _run("scripts.benchmarks.paths.ours", "prepare", str(folder / _results_case(size_mb)))


def _results_case(size_mb: int) -> str:
    """The result file of a ``join`` case has 73 % of the size in its name."""
    return f"join-{size_mb * 137 // 100}"


def _run(module: str, *arguments: str) -> None:
    subprocess.run([sys.executable, "-m", module, *arguments], cwd=ROOT, check=True)


def stages_of(cloud: StageCloud, folder: Path, size_mb: int) -> list[Stage]:
    results = folder / _results_case(size_mb) / "results-1.jsonl"
    with results.open("rb") as file:
        rows = sum(1 for _ in file)

    def validate_again() -> None:
        cloud.clear("jobs/", "work/", "ready/", "rejected/")

    def collect_again() -> None:
        cloud.prepare_collect(folder / _results_case(size_mb), results, rows)

    def first_ready() -> str:
        return next(iter(cloud.store.list("ready/"))).key

    return [
        Stage("download + upload of the requests", "copy-object", lambda: INPUT),
        Stage(
            "validate", "validate", lambda: INPUT, validate_again,
            "download + upload of the requests", MAX_STAGE_RATIO,
        ),
        Stage("submit", "submit", first_ready),
        Stage("download + upload of the results", "copy-results", lambda: OUTPUT_FILE, collect_again),
        Stage(
            "collect", "collect", lambda: FINISHED, collect_again,
            "download + upload of the results", MAX_STAGE_RATIO,
        ),
        Stage("rows from a local file", "rows-file", lambda: str(results)),
        Stage(
            "rows over HTTP, CRC checked", "rows-http", lambda: RESULTS,
            baseline="rows from a local file", max_ratio=MAX_READ_RATIO,
        ),
        Stage(
            "rows over HTTP, oss2's own CRC", "rows-http-oss2", lambda: RESULTS,
            baseline="rows from a local file",
        ),
    ]  # fmt: skip


def table(stages: Sequence[Stage], size_mb: int) -> str:
    by_name = {stage.name: stage for stage in stages}
    lines = [
        f"| one {size_mb} MB object | median s | MB/s | CPU s | services' CPU s | peak RSS MB | ratio | goal |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for stage in stages:
        baseline = by_name.get(stage.baseline)
        ratio = f"{stage.wall_s / baseline.wall_s:.2f}" if baseline else ""
        lines.append(
            f"| {stage.name} | {stage.wall_s:.2f} | {size_mb / stage.wall_s:.0f} | {stage.cpu_s:.2f} "
            f"| {stage.services_cpu_s:.2f} "
            f"| {stage.peak_mb:.0f} | {ratio} | {_goals(stage, baseline)} |"
        )
    return "\n".join(lines)


def _check_outcome(stage: Stage) -> None:
    """A stage that did something else, such as finding its work done already, would look fast."""
    said, expected = stage.runs[-1].said, EXPECTED.get(stage.what)
    if expected and said != expected:
        raise SystemExit(f"{stage.name} ended with {said}")


def _goals(stage: Stage, baseline: Stage | None) -> str:
    told = []
    if baseline and stage.max_ratio:
        told.append(_verdict(f"≤ {stage.max_ratio}", stage.wall_s / baseline.wall_s <= stage.max_ratio))
    if stage.name in {"validate", "submit", "collect"}:
        told.append(_verdict(f"≤ {MAX_PEAK_MB} MB", stage.peak_mb <= MAX_PEAK_MB))
    return "; ".join(told)


def _verdict(goal: str, is_met: bool) -> str:
    return f"{goal}: {'met' if is_met else 'MISSED'}"


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.benchmarks.stages", description=__doc__)
    parser.add_argument("--size-mb", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where the files go and stay; else a temporary folder")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        make_data(folder, options.size_mb, options.seed)
        with StageCloud(folder) as cloud:
            cloud.clear("")
            cloud.put_file(INPUT, folder / f"validate-{options.size_mb}" / "requests.jsonl")
            cloud.put_file(RESULTS, folder / _results_case(options.size_mb) / "results-1.jsonl")
            stages = stages_of(cloud, folder, options.size_mb)
            for _ in range(options.rounds):
                for stage in stages:
                    stage.prepare()
                    stage.runs.append(cloud.run(stage.what, stage.subject()))
                    _check_outcome(stage)
    print(
        f"Python {platform.python_version()}, {os.cpu_count()} cores, {options.rounds} rounds, seed {options.seed}"
    )
    print()
    print(table(stages, options.size_mb))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
