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

SAMPLES = {
    "ask": "import openai, pydantic, yaml\nfrom shared.domain import errors\ndef handler(event, context): ...\n",
    "store": "import fastcrc, jinja2, oss2\nfrom shared.domain import errors\ndef handler(event, context): ...\n",
    "hello": "import flask\nfrom shared.domain import errors\ndef handler(event, context): ...\n",
}

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
    """Where a zip is to run: an interpreter, and the wheels for it."""

    target: Target
    interpreter: str

    def build(self, function: str, root: Path, out: Path) -> Built:
        store = WheelStore(self.target, ROOT / "requirements.lock", ROOT / "build" / "wheels")
        return build(function, store, root=root, out=out)

    def run(self, code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [self.interpreter, "-I", "-S", "-B", "-c", code, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(params=["current", "3.10"])
def site(request: pytest.FixtureRequest) -> Site:
    if request.param == "current":
        return Site(Target.current(), sys.executable)
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        pytest.skip("Function Compute's wheels run on Linux on x86_64 only")
    interpreter = python_310()
    if interpreter is None:
        pytest.skip("no python3.10 that runs was found")
    return Site(Target.function_compute("3.10"), interpreter)


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "shared", tmp_path / "shared")
    for name, source in SAMPLES.items():
        folder = tmp_path / "functions" / name
        folder.mkdir(parents=True)
        (folder / "__init__.py").touch()
        (folder / "index.py").write_text(source, encoding="utf-8")
    (tmp_path / "functions" / "__init__.py").touch()
    return tmp_path


def check_zip(built: Built, site: Site, folder: Path) -> None:
    """Unpack and import it, and look for what must not be inside."""
    with ZipFile(built.path) as archive:
        names = archive.namelist()
        archive.extractall(folder)
    tags = (f"cpython-{site.target.python.replace('.', '')}", "abi3")
    alien = [name for name in names if name.endswith(".so") and not any(tag in name for tag in tags)]

    answer = site.run(IMPORT, str(folder))

    assert answer.returncode == 0, answer.stderr
    assert alien == []
    assert [name for name in names if name.startswith(("tests/", "scripts/")) or "/SelfTest/" in name] == []
    assert built.zip_bytes <= MAX_ZIP_BYTES


@pytest.mark.parametrize(
    ("function", "inside", "outside"),
    [
        ("ask", {"openai", "httpx2", "pydantic-core", "pyyaml"}, {"oss2", "flask"}),
        ("store", {"oss2", "crcmod", "fastcrc", "markupsafe", "requests"}, {"openai", "flask", "pydantic"}),
        ("hello", {"flask", "werkzeug", "click"}, {"oss2", "openai", "pyyaml"}),
    ],
)
def test_a_zip_holds_what_its_function_imports_and_runs_alone(
    function: str, inside: set[str], outside: set[str], samples: Path, site: Site
) -> None:
    built = site.build(function, samples, samples / "dist")

    check_zip(built, site, samples / "unpacked")
    assert inside <= set(built.distributions)
    assert not outside & set(built.distributions)


def test_crcmod_is_pure_because_it_was_built_on_another_machine(samples: Path, site: Site) -> None:
    built = site.build("store", samples, samples / "dist")

    with ZipFile(built.path) as archive:
        files = [name for name in archive.namelist() if name.startswith("crcmod/")]
    assert "crcmod/_crcfunpy.py" in files
    assert [name for name in files if not name.endswith(".py")] == []


def test_a_library_in_a_zip_still_knows_its_version(samples: Path, site: Site) -> None:
    built = site.build("hello", samples, samples / "dist")

    answer = site.run(
        "import sys; sys.path.insert(0, sys.argv[1]); from importlib.metadata import version; print(version('flask'))",
        str(built.path),
    )

    assert answer.stdout.startswith("3."), answer.stderr


@pytest.mark.parametrize("function", list(runtimes(ROOT / "template.yaml")))
def test_every_function_of_the_template_runs_from_its_zip(function: str, site: Site, tmp_path: Path) -> None:
    if not (ROOT / "functions" / function / "index.py").exists():
        pytest.skip(f"functions/{function}/index.py is not written yet")

    built = site.build(function, ROOT, tmp_path / "dist")

    check_zip(built, site, tmp_path / "unpacked")
    asks_the_provider = function in {"submit", "collect", "reconcile"}
    assert ("openai" in built.distributions) == asks_the_provider
