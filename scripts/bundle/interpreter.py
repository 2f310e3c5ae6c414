"""Find an interpreter of a Python version on this machine that really runs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Interpreter:
    """One Python; ``version`` has its patch level."""

    path: str
    version: str

    @property
    def name(self) -> str:
        return f"python{self.version}"


def find_interpreter(python: str) -> Interpreter | None:
    """A CPython ``python``, such as ``3.10``: this one, one on the PATH, or one that pyenv keeps."""
    return next((found for path in _candidates(python) if (found := _probed(path, python))), None)


def _candidates(python: str) -> Iterator[str]:
    if f"{sys.version_info.major}.{sys.version_info.minor}" == python:
        yield sys.executable
    on_path = shutil.which(f"python{python}")
    if on_path:
        yield on_path
    # pyenv puts shims on the PATH that only explain themselves unless the version is switched on.
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from map(str, sorted(pyenv.glob(f"versions/{python}.*/bin/python{python}"), reverse=True))


def _probed(path: str, python: str) -> Interpreter | None:
    code = "import platform; print(platform.python_implementation(), platform.python_version())"
    try:
        answer = subprocess.run([path, "-I", "-S", "-c", code], capture_output=True, text=True, check=False)
    except OSError:
        return None
    implementation, _, version = answer.stdout.strip().partition(" ")
    if implementation != "CPython" or not version.startswith(f"{python}."):
        return None
    return Interpreter(path, version)
