"""Cold starts: what importing each handler from its zip costs over bare Python.

With bytecode and without; run by ``scripts/bench --cold``. The zips are built for Function
Compute's Python if that runs here, else for this one.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from zipfile import ZipFile

from scripts.benchmarks.cold.calls import first_calls, local_services
from scripts.benchmarks.cold.processes import Cost, middle, run_python
from scripts.bundle.bytecode import Interpreter, find_interpreter
from scripts.bundle.imports import BuildError
from scripts.bundle.libraries import Target
from scripts.bundle.zips import ROOT, Built, build, runtimes

# Seconds over bare Python, and bytes of each zip. The timer has no goal: nobody waits for it.
GOALS_S = {"callback": 0.75, "message": 0.75, "validate": 0.75, "submit": 1.3, "collect": 1.3}
GOAL_ZIP_BYTES = 30_000_000
# What is seen of each by itself, and the function in whose zip it is.
LIBRARIES = {
    "oss2": "message",
    "openai": "submit",
    "flask": "callback",
    "pydantic": "message",
    "jinja2": "validate",
}

_IMPORT = "import sys; sys.path.insert(0, sys.argv[1]); __import__(sys.argv[2])\n"
_BARE = "bare"


@dataclass(frozen=True)
class Site:
    """Built and unpacked zips, and the Python that they are for."""

    interpreter: Interpreter
    built: Mapping[str, Built]
    with_bytecode: dict[str, Path] = field(default_factory=dict)
    without: dict[str, Path] = field(default_factory=dict)

    def unpack(self, folder: Path) -> None:
        for function, built in self.built.items():
            self.with_bytecode[function] = folder / "with" / function
            self.without[function] = folder / "without" / function
            with ZipFile(built.path) as archive:
                archive.extractall(self.with_bytecode[function])
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(self.with_bytecode[function], self.without[function], ignore=ignored)


@dataclass(frozen=True)
class Measured:
    """Medians over all rounds, by what was imported or called; imports are over bare Python."""

    with_bytecode: Mapping[str, Cost]
    without: Mapping[str, Cost]
    calls: Mapping[str, Cost]


def built_site(folder: Path) -> Site:
    """Build every function for the template's Python if that runs here, else for this one.

    Raises:
        BuildError: A zip cannot be built.
    """
    (python,) = set(runtimes(ROOT / "template.yaml").values())
    runs_here = (sys.platform, platform.machine()) == ("linux", "x86_64")
    interpreter = find_interpreter(python) if runs_here else None
    target = Target.function_compute(python) if interpreter else Target.current()
    interpreter = interpreter or Interpreter(sys.executable, platform.python_version())
    site = Site(
        interpreter,
        {
            function: build(function, target, root=ROOT, out=folder / "dist", interpreter=interpreter)
            for function in runtimes(ROOT / "template.yaml")
        },
    )
    site.unpack(folder)
    return site


def measured(site: Site, folder: Path, rounds: int) -> Measured:
    """Run everything once to warm the disk's cache, then in alternating rounds."""
    python = site.interpreter.path
    cases = dict(_import_cases(site))
    imports: dict[tuple[str, str], list[Cost]] = {case: [] for case in cases}
    for _ in range(rounds + 1):
        for case, (code, *arguments) in cases.items():
            imports[case].append(run_python(python, code, *arguments))
    # By itself: the local services would take time from the imports.
    with local_services(folder / "services") as services:
        calls = [first_calls(python, site.with_bytecode, services, number) for number in range(rounds + 1)]
    bare = middle(imports.pop((_BARE, _BARE))[1:])
    over = {case: middle(found[1:]).over(bare) for case, found in imports.items()}
    return Measured(
        {name: cost for (kind, name), cost in over.items() if kind == "with"},
        {name: cost for (kind, name), cost in over.items() if kind == "without"},
        {function: middle([each[function] for each in calls[1:]]) for function in site.built},
    )


def _import_cases(site: Site) -> Iterator[tuple[tuple[str, str], tuple[str, ...]]]:
    yield (_BARE, _BARE), ("",)
    for kind, folders in (("with", site.with_bytecode), ("without", site.without)):
        for function, path in folders.items():
            yield (kind, function), (_IMPORT, str(path), "index")
        for library, function in LIBRARIES.items():
            yield (kind, library), (_IMPORT, str(folders[function]), library)


def table(site: Site, found: Measured, rounds: int) -> str:
    """Markdown."""
    lines = [
        f"Over bare {site.interpreter.name} on {platform.machine()}, medians of {rounds} alternating rounds,",
        f"while {os.getloadavg()[0]:.1f} processes wanted {os.cpu_count()} cores.",
        "The first call is a whole first invocation with all that it loads, against the local OSS and Bailian.",
        "The goals are for the import alone.",
        "",
        "| function | zip MB | import s | CPU s | without .pyc s | first call s | both s | peak MB, first call | goal |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for function, built in site.built.items():
        cost, call = found.with_bytecode[function], found.calls[function]
        lines.append(
            f"| {function} | {built.zip_bytes / 1e6:.1f} | {cost.wall_s:.2f} | {cost.cpu_s:.2f} | "
            f"{found.without[function].wall_s:.2f} | {call.call_s:.2f} | {cost.wall_s + call.call_s:.2f} | "
            f"{call.peak_mb:.0f} | {_verdict(function, built, cost)} |"
        )
    lines += ["", "| library | import s | CPU s | without .pyc s |", "|---|---|---|---|"]
    for library in LIBRARIES:
        cost = found.with_bytecode[library]
        without_s = found.without[library].wall_s
        lines.append(f"| {library} | {cost.wall_s:.2f} | {cost.cpu_s:.2f} | {without_s:.2f} |")
    return "\n".join(lines)


def _verdict(function: str, built: Built, cost: Cost) -> str:
    said = f"≤ {GOAL_ZIP_BYTES / 1e6:.0f} MB: {_met(built.zip_bytes <= GOAL_ZIP_BYTES)}"
    goal_s = GOALS_S.get(function)
    return said if goal_s is None else f"≤ {goal_s} s: {_met(cost.wall_s <= goal_s)}; {said}"


def _met(is_met: bool) -> str:
    return "met" if is_met else "MISSED"


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench --cold", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured (default 5)")
    rounds = parser.parse_args(arguments).rounds
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            site = built_site(folder)
            found = measured(site, folder, rounds)
        except BuildError as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
        except subprocess.CalledProcessError as error:
            print(f"error: a function failed:\n{error.stderr.decode(errors='replace')}", file=sys.stderr)
            return 1
    print(table(site, found, rounds))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
