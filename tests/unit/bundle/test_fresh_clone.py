"""requirements.lock, which a fresh clone installs, is enough for all but developers' programs."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]

# Imports a module while those named after it cannot be found.
IMPORT = """
import importlib, sys
sys.modules.update(dict.fromkeys(sys.argv[2:]))
importlib.import_module(sys.argv[1])
"""


def not_installed() -> list[str]:
    """The top-level modules of everything here that requirements.lock does not hold."""
    pinned = re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements.lock").read_text(encoding="utf-8"), re.M)
    return [
        module
        for module, names in metadata.packages_distributions().items()
        if not {re.sub(r"[-_.]+", "-", name).lower() for name in names} & {*pinned, "pip", "setuptools"}
    ]


def imported(module: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", IMPORT, module, *not_installed()]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "program",
    [
        "scripts.bundle.zips",
        "scripts.demonstration.show",
        "scripts.localcloud.terminal.command",
        "scripts.operate.__main__",
    ],
)
def test_a_program_starts_with_what_a_fresh_clone_installs(program: str) -> None:
    assert imported(program).stderr == ""


def test_a_package_for_developers_alone_is_not_found_here() -> None:
    assert "import of pytest halted" in imported("pytest").stderr
