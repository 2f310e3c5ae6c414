"""``scripts/bench``: measures Batchdrop's data paths beside what people use today.

It prints Markdown tables.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from scripts.benchmarks.measure import Contender, measure
from scripts.benchmarks.paths.cases import AGREEMENT, PYTHON, contenders_for, goal_for, input_bytes
from scripts.benchmarks.paths.data import Case

ROOT = Path(__file__).resolve().parents[2]
CASES = (
    "flatten-100", "flatten-500", "flatten-100-escaped", "flatten-500-embeddings", "validate-100", "validate-500",
    "convert-100-utf8", "convert-500-utf8", "convert-500-gb18030", "convert-100-utf8-quoted",
    "convert-241-utf8-short", "join-100",
    "join-500",
)  # fmt: skip


def bench(case: Case, folder: Path, *, rounds: int, seed: int) -> str:
    """Measure one case and return its table.

    Raises:
        SystemExit: The contenders' outputs differ.
    """
    _run("scripts.benchmarks.paths.data", str(case), str(folder), str(seed))
    if case.path in {"flatten", "join"}:
        _run("scripts.benchmarks.paths.ours", "prepare", str(folder))
    contenders = contenders_for(case, folder)
    measure(contenders, rounds, ROOT)
    agreement = _agreement(case, contenders)
    return "\n".join([f"### {case}: {agreement}", "", *_table(case, folder, contenders)])


def _agreement(case: Case, contenders: Sequence[Contender]) -> str:
    """What all outputs hold, by each contender's last run, which left its output unharmed."""
    said = {}
    for contender in contenders:
        if not contender.failed and contender.output():
            files = map(str, contender.output())
            said[contender.name] = _run(
                "scripts.benchmarks.paths.agree", AGREEMENT[case.path], *files
            ).strip()
    if len(set(said.values())) > 1:
        raise SystemExit(f"{case}: the outputs differ: {said}")
    return f"{len(said)} outputs agree, {next(iter(said.values()))}"


def _table(case: Case, folder: Path, contenders: Sequence[Contender]) -> Iterator[str]:
    size_mb = input_bytes(case, folder) / 1e6
    plain = contenders[0]
    yield f"| {size_mb:.0f} MB | median s | CPU s | MB/s | peak RSS MB | ratio to plain | CPU ratio | goal |"
    yield "|---|---|---|---|---|---|---|---|"
    for contender in contenders:
        if contender.failed:
            yield f"| {contender.name} | failed: {contender.failed.rpartition(chr(10))[2][:80]} | | | | | | |"
            continue
        ratio = plain.wall_s / contender.wall_s
        goal = goal_for(case, contender)
        told = "" if goal is None else _verdict(ratio, contender.peak_bytes / 1e6, *goal)
        yield (
            f"| {contender.name} | {contender.wall_s:.2f} | {contender.cpu_s:.2f} | "
            f"{size_mb / contender.wall_s:.0f} | {contender.peak_bytes / 1e6:.0f} | {ratio:.2f} | "
            f"{plain.cpu_s / contender.cpu_s:.2f} | {told} |"
        )


def _verdict(ratio: float, peak_mb: float, least: float, most_mb: int | None) -> str:
    speed = f"≥ {least}: {'met' if ratio >= least else 'MISSED'}"
    return (
        speed if most_mb is None else f"{speed}; ≤ {most_mb} MB: {'met' if peak_mb <= most_mb else 'MISSED'}"
    )


def _run(module: str, *arguments: str) -> str:
    """Run a module of this package in a process of its own, so that its memory is not measured."""
    command = [PYTHON, "-m", module, *arguments]
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


def main(arguments: Sequence[str]) -> int:
    if arguments[:1] in (["--cold"], ["--page"], ["--quotes"]):
        command = [PYTHON, "-m", f"scripts.benchmarks.{arguments[0][2:]}", *arguments[1:]]
        return subprocess.run(command, cwd=ROOT, check=False).returncode
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description=__doc__,
        epilog="scripts/bench --cold measures cold starts instead, --page the page of 10,000 files, "
        "--quotes what quotes cost validate.",
    )
    parser.add_argument("cases", nargs="*", default=CASES, help=f"of {' '.join(CASES)}; any size in MB works")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where the files go; a temporary folder if not given")
    options = parser.parse_args(arguments)
    print(
        f"Python {platform.python_version()}, {os.cpu_count()} cores, {options.rounds} rounds, seed {options.seed}\n"
    )
    for name in options.cases:
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            print(bench(Case.parse(name), Path(folder), rounds=options.rounds, seed=options.seed), flush=True)
            print(flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
