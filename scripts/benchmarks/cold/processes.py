"""Runs one Python process after another and says what each cost from its start to its end."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median

# Isolated, without site-packages, writing no bytecode: only the standard library and our path.
_FLAGS = ("-I", "-S", "-B")
# The peak of this program alone: getrusage's would remember the process that it was forked from.
_REPORT = """
import sys, time
with open("/proc/self/status") as status:
    peak_kb = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
print('{"cpu_s": %r, "peak_kb": %r, "call_s": %r}' % (time.process_time(), peak_kb, globals().get("call_s", 0.0)))
"""


@dataclass(frozen=True)
class Cost:
    """Seconds from start to end, CPU seconds, peak memory, and the seconds in ``call_s``."""

    wall_s: float
    cpu_s: float
    peak_mb: float
    call_s: float

    def over(self, bare: Cost) -> Cost:
        return Cost(self.wall_s - bare.wall_s, self.cpu_s - bare.cpu_s, self.peak_mb, self.call_s)


def run_python(
    interpreter: str,
    code: str,
    *arguments: str,
    stdin: bytes = b"",
    environment: Mapping[str, str] | None = None,
) -> Cost:
    """Run ``code`` in a process of its own. It may set ``call_s``; its last line is the report's.

    Raises:
        CalledProcessError: The code failed; its complaint is in ``stderr``.
    """
    command = [interpreter, *_FLAGS, "-c", code + _REPORT, *arguments]
    started_s = time.perf_counter()
    done = subprocess.run(command, input=stdin, capture_output=True, env=dict(environment or {}), check=True)
    wall_s = time.perf_counter() - started_s
    told = json.loads(done.stdout.strip().rpartition(b"\n")[2])
    return Cost(wall_s, told["cpu_s"], told["peak_kb"] * 1024 / 1e6, told["call_s"])


def middle(costs: list[Cost]) -> Cost:
    """The median of each number by itself."""
    return Cost(
        median(each.wall_s for each in costs),
        median(each.cpu_s for each in costs),
        median(each.peak_mb for each in costs),
        median(each.call_s for each in costs),
    )
