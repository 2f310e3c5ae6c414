"""Compile what goes into a zip with the Python that will run it, so that no cold start has to.

Function Compute's code directory is read-only: without this every new instance compiles every
module again.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from scripts.bundle.imports import BuildError

# Runs in the Python that the zip is for. Hash-based files: the times of unpacked files mean nothing
# (https://docs.python.org/3/library/py_compile.html#py_compile.PycInvalidationMode). What it cannot
# compile is meant for another Python or is a template; it stays as source only.
_COMPILE = """
import sys, warnings
from importlib.util import cache_from_source
from pathlib import Path
from py_compile import PycInvalidationMode, PyCompileError, compile
warnings.simplefilter("ignore")
sources, target, mode = Path(sys.argv[1]), Path(sys.argv[2]), PycInvalidationMode[sys.argv[3]]
for source in sorted(sources.rglob("*.py")):
    name = source.relative_to(sources)
    kept = cache_from_source(str(target / name))
    try:
        compile(str(source), cfile=kept, dfile=name.as_posix(), doraise=True, invalidation_mode=mode, optimize=0)
    except PyCompileError:
        pass
"""

# All that the compiling Python is told. Before Python 3.11, sets of constants are written in the
# order of their hashes.
_BARE = {"PYTHONHASHSEED": "0"}


@dataclass(frozen=True)
class Interpreter:
    """One Python; ``version`` has its patch level."""

    path: str
    version: str

    @property
    def name(self) -> str:
        return f"python{self.version}"

    def compile_ours(self, files: Mapping[str, bytes]) -> dict[str, bytes]:
        """For our own modules: checked against their source at each import.

        That costs a few milliseconds in all. Without it, changes that somebody makes in the
        console's editor would never run.
        """
        return self._compiled(files, "CHECKED_HASH")

    def compile_library(self, files: Mapping[str, bytes]) -> dict[str, bytes]:
        """For a library, whose source no import ever reads."""
        return self._compiled(files, "UNCHECKED_HASH")

    def _compiled(self, files: Mapping[str, bytes], mode: str) -> dict[str, bytes]:
        with tempfile.TemporaryDirectory() as folder:
            source, target, empty = (Path(folder, name) for name in ("source", "target", "empty"))
            for each in (source, target, empty):
                each.mkdir()
            for name, content in files.items():
                if PurePosixPath(name).suffix == ".py":
                    path = source / name
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(content)
            command = [self.path, "-S", "-s", "-c", _COMPILE, str(source), str(target), mode]
            done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=empty, env=_BARE)
            if done.returncode:
                raise BuildError(f"{self.path} does not compile:\n{done.stderr.strip()}")
            found = sorted(path for path in target.rglob("*.pyc"))
            return {path.relative_to(target).as_posix(): path.read_bytes() for path in found}


def find_interpreter(python: str) -> Interpreter | None:
    """A CPython ``python``, such as ``3.10``: this one, one on the PATH, or one of pyenv's."""
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
    """The program that really runs at ``path``, which may be a launcher."""
    code = "import platform as p, sys; print(p.python_implementation(), p.python_version(), sys.executable)"
    version = ""
    for environment in (None, _BARE):
        try:
            command = [path, "-I", "-S", "-c", code]
            answer = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
            implementation, version, path = answer.stdout.strip().split(" ", 2)
        except (OSError, ValueError):
            return None
        if implementation != "CPython" or not version.startswith(f"{python}."):
            return None
    return Interpreter(path, version)
