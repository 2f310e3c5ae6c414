"""Which contenders a case has, and what each of them wrote."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from scripts.benchmarks.measure import Contender
from scripts.benchmarks.paths.data import Case

PYTHON = sys.executable
OURS, LINES_TO_ROWS = "Batchdrop", "Batchdrop, lines to rows alone"
TWO_PROCESSES = f"{LINES_TO_ROWS}, two processes"
AGREEMENT = {"flatten": "answers", "join": "joined", "convert": "requests", "validate": "lines"}
ENGINES = {"DuckDB, 1 thread": "duckdb1", "DuckDB, 2 threads": "duckdb2", "Polars": "polars"}
JOB = "work/0123456789abcdef"
# What we ask of a path: the least ratio to the plain script, and the most memory in MB. That of
# flatten and join is for 500 MB: with less, starting the process weighs more.
GOALS: dict[str, tuple[float, int | None]] = {
    "flatten": (2.3, 50),
    "flatten x2": (2.8, 100),
    "flatten embeddings": (7.0, None),
    "validate": (2.9, 72),
    # The digests of a shard's requests have 10 MB.
    "convert": (1.8, 48),
    "convert short": (1.07, 48),
    "join": (2.3, 50),
}


def input_bytes(case: Case, folder: Path) -> int:
    patterns = {"validate": "requests.jsonl", "convert": "input.csv"}
    return sum(path.stat().st_size for path in folder.glob(patterns.get(case.path, "results-*.jsonl")))


def contenders_for(case: Case, folder: Path) -> list[Contender]:
    """The plain script first: every ratio is to it."""
    found = [_plain(case, folder), _ours(case, folder, OURS, [[]])]
    shards = sorted(int(path.stem.rpartition("-")[2]) for path in folder.glob("results-*.jsonl"))
    if case.path == "validate":
        found.append(_half(case, folder, "Batchdrop, checks alone", "check", [[]]))
    if case.path == "flatten":
        found[1].name = "Batchdrop, rows put in input order too"
        found.append(_half(case, folder, LINES_TO_ROWS, "spool", [[]]))
    if case.path == "flatten" and len(shards) > 1:
        halves = [shards[0::2], shards[1::2]]
        found.append(_half(case, folder, TWO_PROCESSES, "spool", halves))
    if case.encoding != "gb18030":  # neither of them reads it
        found += [_alternative(case, folder, name, engine) for name, engine in ENGINES.items()]
    return found


def _alternative(case: Case, folder: Path, name: str, engine: str) -> Contender:
    out = folder / (f"{engine}.count" if case.path == "validate" else f"{engine}.out")
    command = [
        PYTHON,
        "-m",
        "scripts.benchmarks.paths.alternatives",
        engine,
        case.path,
        str(folder),
        str(out),
    ]
    return Contender(name, [command], _remover(out), lambda: [out])


def goal_for(case: Case, contender: Contender) -> tuple[float, int | None] | None:
    if contender.name not in {OURS, LINES_TO_ROWS, TWO_PROCESSES}:
        return None
    if case.is_quoted:  # most of the work is to keep columns that the plain script drops
        return None
    if case.is_short:
        return GOALS["convert short"]
    if case.variant == "embeddings":
        return GOALS["flatten embeddings"] if len(contender.commands) == 1 else None
    return GOALS[f"{case.path} x2" if len(contender.commands) == 2 else case.path]


def _plain(case: Case, folder: Path) -> Contender:
    out = folder / ("plain.count" if case.path == "validate" else "plain.out")
    more = [case.encoding] if case.path == "convert" else []
    command = [PYTHON, "scripts/benchmarks/paths/plain.py", case.path, str(folder), str(out), *more]
    return Contender("plain json + csv", [command], _remover(out), lambda: [out])


def _half(case: Case, folder: Path, name: str, half: str, shards: Sequence[Sequence[int]]) -> Contender:
    """The part of a stage that plain scripts do, too; the whole stage's output is compared."""
    contender = _ours(case, folder, name, shards)
    commands = [[half if word == case.path else word for word in command] for command in contender.commands]
    return Contender(name, commands)


def _ours(case: Case, folder: Path, name: str, shards: Sequence[Sequence[int]]) -> Contender:
    command = [PYTHON, "-m", "scripts.benchmarks.paths.ours", case.path, str(folder)]
    commands = [[*command, *map(str, each)] for each in shards]
    if case.path in {"validate", "convert"}:

        def requests() -> Sequence[Path]:
            return sorted((folder / JOB / "run").glob("*.requests.jsonl"))

        return Contender(name, commands, _remover(folder / "jobs", folder / "work"), requests)

    def parts() -> Sequence[Path]:
        return sorted((folder / JOB).glob("*/part-run.csv"))

    def remove_parts() -> None:
        for path in parts():
            path.unlink()

    return Contender(name, commands, remove_parts, parts)


def _remover(*paths: Path) -> Callable[[], None]:
    def remove() -> None:
        for path in paths:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)

    return remove
