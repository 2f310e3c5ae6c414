"""The cold start benchmark's own arithmetic; what it measures is no test's business."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from scripts.benchmarks.cold.__main__ import Measured, Site, table
from scripts.benchmarks.cold.processes import Cost, middle, run_python
from scripts.bundle.bytecode import Interpreter
from scripts.bundle.zips import Built


def test_a_process_tells_its_memory_and_what_its_call_took():
    bare = run_python(sys.executable, "")
    code = "import sys\nkept = b'x' * int(sys.argv[1])\ncall_s = 7.5\n"
    large = run_python(sys.executable, code, "50000000")

    assert large.call_s == 7.5
    assert 45 < large.peak_mb - bare.peak_mb < 60
    assert bare.wall_s > 0


def test_a_process_gets_its_input_and_only_the_given_environment():
    code = "import os, sys\nassert (sys.stdin.read(), os.environ.get('A'), 'HOME' in os.environ) == ('x', 'b', False)\n"

    assert run_python(sys.executable, code, stdin=b"x", environment={"A": "b"}).call_s == 0


def test_a_process_that_fails_says_why():
    with pytest.raises(subprocess.CalledProcessError) as failure:
        run_python(sys.executable, "raise ValueError('broken')\n")

    assert b"broken" in failure.value.stderr


def test_costs_are_medians_over_bare_python():
    costs = [Cost(wall_s, wall_s / 2, 10.0, 1.0) for wall_s in (3.0, 1.0, 2.0)]

    assert middle(costs).over(Cost(0.5, 0.25, 5.0, 0.0)) == Cost(1.5, 0.75, 10.0, 1.0)


def test_the_table_says_which_goals_are_met_by_the_import_alone():
    cost = Cost(0.7, 0.6, 40.0, 0.1)
    built = {
        name: Built(name, Path("x"), (), zip_bytes, 0, "python3.10.1")
        for name, zip_bytes in (("message", 9_000_000), ("submit", 31_000_000))
    }
    libraries = dict.fromkeys(("oss2", "openai", "flask", "pydantic", "jinja2"), cost)
    imports = {"message": Cost(0.76, 0.6, 40.0, 0.0), "submit": cost, **libraries}
    site = Site(Interpreter("python", "3.10.1"), built)

    shown = table(site, Measured(imports, imports, dict.fromkeys(built, cost)), 3)

    rows = {line.split(" | ")[0]: line for line in shown.split("\n") if line.startswith("| ")}
    assert rows["| message"].endswith("| ≤ 0.75 s: MISSED; ≤ 30 MB: met |")
    assert rows["| submit"].endswith(
        "| 0.70 | 0.60 | 0.70 | 0.10 | 0.80 | 40 | ≤ 1.3 s: met; ≤ 30 MB: MISSED |"
    )
