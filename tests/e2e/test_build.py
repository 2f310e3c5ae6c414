"""The zips that are deployed, imported the way Function Compute does: from one folder, with nothing else installed.

Needs the package index for what is not yet under build/wheels.
"""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

import pytest

from scripts.build import ROOT, Built, build, runtimes
from scripts.bundle.lock import Target
from scripts.bundle.wheels import WheelStore

MAX_ZIP_BYTES = 30_000_000

# What a function must contain and must not: openai costs most of a cold start, flask serves one function.
INSIDE = {
    "validate": {"oss2", "fastcrc", "jinja2", "pyyaml", "jsonschema-rs", "pydantic-core"},
    "submit": {"oss2", "fastcrc", "openai", "httpx2"},
    "callback": {"oss2", "fastcrc", "flask", "jinja2", "werkzeug"},
    "message": {"oss2", "fastcrc"},
    "collect": {"oss2", "fastcrc", "openai", "httpx2", "orjson", "jsonschema-rs"},
    "reconcile": {"oss2", "fastcrc", "openai", "jinja2", "pyyaml", "jsonschema-rs"},
}
# Between them they hold every library, so for a Python on which nothing is deployed they are enough.
HOLD_EVERY_LIBRARY = ("callback", "collect", "reconcile")
EVERYTHING = set[str]().union(*INSIDE.values())

FUNCTION_COMPUTE_RUNS_HERE = (sys.platform, platform.machine()) == ("linux", "x86_64")

# Only the standard library and the unpacked zip; every module must come from one of the two.
IMPORT = """
import sys
standard = tuple(sys.path)
assert not [path for path in standard if "site-packages" in path], standard
sys.path.insert(0, sys.argv[1])
import index
assert callable(index.handler)
strangers = [
    name for name, module in sys.modules.items()
    if getattr(module, "__file__", None) and not module.__file__.startswith((sys.argv[1], *standard))
]
assert not strangers, strangers
"""


def python_310() -> str | None:
    """An interpreter that runs; version managers put one on the PATH that only explains itself."""
    candidates = [
        shutil.which("python3.10"),
        *map(str, Path.home().glob(".pyenv/versions/3.10*/bin/python3.10")),
    ]
    for candidate in filter(None, candidates):
        answer = subprocess.run(
            [candidate, "-c", "import sys; print(sys.version_info[:2])"], capture_output=True, check=False
        )
        if answer.stdout.strip() == b"(3, 10)":
            return candidate
    return None


@dataclass(frozen=True)
class Site:
    """Where zips are to run: an interpreter, and the zips for it."""

    python: str
    interpreter: str
    built: dict[str, Built]

    def run(self, code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [self.interpreter, "-I", "-S", "-B", "-c", code, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module", params=["current", "3.10"])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Every function of the template for Function Compute's Python, and some, or all if that is not here, for ours."""
    target, interpreter, functions = Target.current(), sys.executable, tuple(runtimes(ROOT / "template.yaml"))
    if request.param == "current" and FUNCTION_COMPUTE_RUNS_HERE and python_310():
        functions = HOLD_EVERY_LIBRARY
    if request.param == "3.10":
        target = Target.function_compute("3.10")
        if not FUNCTION_COMPUTE_RUNS_HERE:
            pytest.skip("Function Compute's wheels run on Linux on x86_64 only")
        interpreter = python_310() or pytest.skip("no python3.10 that runs was found")
    store = WheelStore(target, ROOT / "requirements.lock", ROOT / "build" / "wheels")
    out = tmp_path_factory.mktemp("dist")
    built = {function: build(function, store, root=ROOT, out=out) for function in functions}
    return Site(target.python, interpreter, built)


def check_zip(built: Built, site: Site, folder: Path) -> None:
    """Unpack and import it, and look for what must not be inside."""
    with ZipFile(built.path) as archive:
        names = archive.namelist()
        archive.extractall(folder)
    tags = (f"cpython-{site.python.replace('.', '')}", "abi3")
    alien = [name for name in names if name.endswith(".so") and not any(tag in name for tag in tags)]

    answer = site.run(IMPORT, str(folder))

    assert answer.returncode == 0, answer.stderr
    assert alien == []
    assert [name for name in names if name.startswith(("tests/", "scripts/")) or "/SelfTest/" in name] == []
    assert built.zip_bytes <= MAX_ZIP_BYTES


@pytest.mark.parametrize("function", sorted(INSIDE))
def test_every_function_runs_from_its_zip_with_only_what_it_imports(
    function: str, site: Site, tmp_path: Path
) -> None:
    if function not in site.built:
        pytest.skip("tested with Function Compute's Python")
    built = site.built[function]

    check_zip(built, site, tmp_path / "unpacked")
    assert set(built.distributions) & EVERYTHING >= INSIDE[function]
    assert not {"openai", "flask", "jinja2", "pyyaml"} & (set(built.distributions) - INSIDE[function])


def test_the_template_names_the_six_functions() -> None:
    assert set(runtimes(ROOT / "template.yaml")) == set(INSIDE)


def test_the_few_that_are_tested_with_every_python_hold_every_library(site: Site) -> None:
    libraries = {function: set(built.distributions) for function, built in site.built.items()}

    assert set[str]().union(*libraries.values()) == set[str]().union(
        *(libraries[function] for function in HOLD_EVERY_LIBRARY)
    )


def test_crcmod_is_pure_because_it_was_built_on_another_machine(site: Site) -> None:
    with ZipFile(site.built["reconcile"].path) as archive:
        files = [name for name in archive.namelist() if name.startswith("crcmod/")]

    assert "crcmod/_crcfunpy.py" in files
    assert [name for name in files if not name.endswith(".py")] == []


def test_a_library_in_a_zip_still_knows_its_version(site: Site) -> None:
    answer = site.run(
        "import sys; sys.path.insert(0, sys.argv[1]); from importlib.metadata import version; print(version('flask'))",
        str(site.built["callback"].path),
    )

    assert answer.stdout.startswith("3."), answer.stderr
