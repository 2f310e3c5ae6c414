"""Runs commands as whole processes, in alternating rounds, and keeps their time and memory."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

Command = Sequence[str]


@dataclass(frozen=True)
class Run:
    """One run of all processes of a contender; peaks are each process's own, added up."""

    wall_s: float
    cpu_s: float
    peak_bytes: int


class Repeated:
    """What is run several times: its times are medians, its memory is that of the worst run."""

    runs: Sequence[Run]

    @property
    def wall_s(self) -> float:
        return statistics.median(run.wall_s for run in self.runs)

    @property
    def cpu_s(self) -> float:
        return statistics.median(run.cpu_s for run in self.runs)

    @property
    def peak_bytes(self) -> int:
        return max(run.peak_bytes for run in self.runs)


@dataclass
class Contender(Repeated):
    """One way to do the same work.

    Attributes:
        commands: Processes that run at the same time.
        tidy: Called before every run, not measured.
        output: What it wrote, for the comparison; called after the last run.
    """

    name: str
    commands: Sequence[Command]
    tidy: Callable[[], None] = lambda: None
    output: Callable[[], Sequence[Path]] = lambda: ()
    env: Mapping[str, str] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)
    failed: str = ""


def run(contender: Contender, root: Path) -> Run:
    """Run it once.

    Linux counts the memory of the process that forks into the peak of the one that it starts, so
    this module and those that import it must stay small.

    Raises:
        subprocess.CalledProcessError: One of the processes failed.
    """
    contender.tidy()
    env = {**os.environ, **contender.env}
    env.pop(
        "PYTHONDONTWRITEBYTECODE", None
    )  # what is deployed is compiled, so the first of all runs compiles
    started = time.perf_counter()
    processes = [
        subprocess.Popen(command, cwd=root, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        for command in contender.commands
    ]
    peak_bytes, cpu_s = 0, 0.0
    for process in processes:
        stderr = process.stderr.read() if process.stderr else b""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.stderr:
            process.stderr.close()
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, process.args, stderr=stderr)
        peak_bytes += usage.ru_maxrss * 1024
        cpu_s += usage.ru_utime + usage.ru_stime
    return Run(time.perf_counter() - started, cpu_s, peak_bytes)


def measure(contenders: Sequence[Contender], rounds: int, root: Path) -> None:
    """Run every contender once a round, in rotating order, so that a slow minute hits all alike.

    One round before them does not count: it compiles modules and warms the page cache.
    """
    for contender in contenders:
        _run_or_note(contender, root)
        contender.runs.clear()
    for number in range(rounds):
        first = number % len(contenders)
        for contender in [*contenders[first:], *contenders[:first]]:
            if not contender.failed:
                _run_or_note(contender, root)


def _run_or_note(contender: Contender, root: Path) -> None:
    try:
        contender.runs.append(run(contender, root))
    except subprocess.CalledProcessError as error:
        contender.failed = (error.stderr or b"").decode(errors="replace").strip()[-300:]
