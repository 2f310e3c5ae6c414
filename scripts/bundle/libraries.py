"""Install what requirements.lock pins for a zip's Python, and find what needs what there."""

from __future__ import annotations

import csv
import hashlib
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib import metadata
from pathlib import Path, PurePosixPath

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scripts.bundle.contents import STAND_INS, place, stand_in_files
from scripts.bundle.elf import loaded_part, without
from scripts.bundle.imports import BuildError

# Function Compute's python3.10 runs on Debian 10, whose glibc is 2.28
# (https://www.alibabacloud.com/help/en/functioncompute/fc/python-environment). pip takes these
# names literally, so each one that such a system can load is listed, the newest first.
_FC_PLATFORMS = (
    *(f"manylinux_2_{minor}_x86_64" for minor in range(28, 16, -1)),
    "manylinux2014_x86_64",
    "manylinux_2_12_x86_64",
    "manylinux2010_x86_64",
    "manylinux_2_5_x86_64",
    "manylinux1_x86_64",
)
# These have no wheel on PyPI; building one runs its setup.py. pip refuses every other such package,
# which has to be looked at before it is added here.
_SOURCE_ONLY = "oss2,tos"


@dataclass(frozen=True)
class Target:
    """The Python that will run the zip, this one if platforms and environment are empty."""

    python: str
    platforms: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict, hash=False)

    @classmethod
    def current(cls) -> Target:
        return cls(f"{sys.version_info.major}.{sys.version_info.minor}")

    @classmethod
    def function_compute(cls, python: str) -> Target:
        """``python`` is ``3.10`` or the like; we cannot choose its patch level, and write 0."""
        environment = {
            "implementation_name": "cpython",
            "implementation_version": f"{python}.0",
            "os_name": "posix",
            "platform_machine": "x86_64",
            "platform_python_implementation": "CPython",
            "platform_system": "Linux",
            "python_full_version": f"{python}.0",
            "python_version": python,
            "sys_platform": "linux",
        }
        return cls(python, _FC_PLATFORMS, environment)

    def takes(self, requirement: Requirement) -> bool:
        marker = requirement.marker
        return marker is None or marker.evaluate({**self.environment, "extra": ""})


class Libraries:
    """The packages in one folder, all of them for ``target``, by their canonical names."""

    def __init__(self, folder: Path, target: Target) -> None:
        self.folder = folder
        self._target = target
        self._installed: dict[str, metadata.Distribution] = {
            canonicalize_name(each.metadata["Name"]): each
            for each in metadata.distributions(path=[str(folder)])
        }

    @cached_property
    def _providers(self) -> dict[str, str]:
        """Which package brings a top-level module."""
        return {
            path.parts[0].partition(".")[0]: name for name in self._installed for path in self._recorded(name)
        }

    def closure(self, modules: Iterable[str]) -> list[str]:
        """What provides these top-level modules, and all that it requires on the target.

        Stand-ins are named as what they take the place of; what only that requires is not there.

        Raises:
            BuildError: Something is not in the lock.
        """
        if unknown := sorted(set(modules) - self._providers.keys()):
            raise BuildError(f"no package in requirements.lock provides {', '.join(unknown)}")
        found: set[str] = set()
        wanted: set[str] = {self._providers[module] for module in modules}
        while wanted:
            found |= wanted
            wanted = {each for name in wanted for each in self._required(name)} - found
        return sorted(found)

    def files(self, name: str) -> dict[str, bytes]:
        """What a zip holds of a package, by path."""
        if name in STAND_INS:
            return stand_in_files(name)
        places = {path: place(name, path) for path in self._recorded(name)}
        left_out = {path.name for path, kept in places.items() if kept is None}
        return {
            kept: without(loaded_part((self.folder / path).read_bytes()), left_out)
            for path, kept in places.items()
            if kept
        }

    def _required(self, name: str) -> Iterator[str]:
        if name in STAND_INS:
            return
        if name not in self._installed:
            raise BuildError(f"{name} is not in requirements.lock for Python {self._target.python}")
        for requirement in map(Requirement, self._installed[name].requires or ()):
            if self._target.takes(requirement):
                if requirement.extras:
                    raise BuildError(f"{requirement} is required; extras are not followed here")
                yield canonicalize_name(requirement.name)

    def _recorded(self, name: str) -> Iterator[PurePosixPath]:
        # Not distribution.files: it looks up every file on the disk, which takes seconds.
        record = self._installed[name].read_text("RECORD") or ""
        paths = (PurePosixPath(row[0]) for row in csv.reader(record.split("\n")) if row)
        return (path for path in paths if path.parts[0] != "..")  # pip's bin/


def libraries_for(target: Target, lock: Path, kept: Path) -> Libraries:
    """Install everything that the lock pins for this target, once: ``kept`` keeps it for later.

    Only libraries that a stand-in replaces are left out.

    Raises:
        BuildError: pip cannot get something, or it is not what the lock's hashes say.
    """
    pins = "\n".join(_pins(target, lock))
    digest = hashlib.sha256(f"{sys.platform} {target.platforms} {pins}".encode()).hexdigest()
    folder = kept / f"{target.python}-{digest[:12]}"
    if not folder.is_dir():
        kept.mkdir(parents=True, exist_ok=True)
        # Beside it and renamed, so that an interrupted build leaves no half an installation.
        with tempfile.TemporaryDirectory(dir=kept) as unfinished:
            _install(target, pins, Path(unfinished) / "done")
            try:
                (Path(unfinished) / "done").rename(folder)
            except OSError:  # another build was sooner
                if not folder.is_dir():
                    raise
    return _opened(folder, target)


@cache  # a folder is complete and never changes
def _opened(folder: Path, target: Target) -> Libraries:
    return Libraries(folder, target)


def _pins(target: Target, lock: Path) -> Iterator[str]:
    """The lock's lines for this target; pip would evaluate their markers for its own Python."""
    for line in re.sub(r"\\\n", " ", lock.read_text(encoding="utf-8")).split("\n"):
        if line and not line.lstrip().startswith("#"):
            pin, hashed, hashes = line.partition(" --hash=")
            requirement = Requirement(pin)
            if target.takes(requirement) and canonicalize_name(requirement.name) not in STAND_INS:
                requirement.marker = None
                yield f"{requirement}{hashed}{hashes}"


def _install(target: Target, pins: str, folder: Path) -> None:
    folder.mkdir()
    requirements = folder.with_suffix(".txt")
    requirements.write_text(pins, encoding="utf-8")
    arguments = ["--target", str(folder), "--no-deps", "--require-hashes", "-r", str(requirements)]
    # Python 3.10's pip would else look for setuptools and wheel in .venv, which has no wheel.
    arguments += ["--only-binary", ":all:", "--no-binary", _SOURCE_ONLY, "--use-pep517"]
    if target.platforms:
        abi = f"cp{target.python.replace('.', '')}"
        arguments += ["--python-version", target.python, "--implementation", "cp", "--abi", abi]
        arguments += [part for platform in target.platforms for part in ("--platform", platform)]
    quiet = ("--quiet", "--disable-pip-version-check", "--no-compile")
    pip = subprocess.run(
        [sys.executable, "-m", "pip", "install", *quiet, *arguments],
        check=False,
        capture_output=True,
        text=True,
        # Whatever is built from source must be pure: no compiler of this machine's may help.
        env={**os.environ, "CC": "false", "CXX": "false"},
    )
    if pip.returncode:
        raise BuildError(f"pip install failed:\n{pip.stderr.strip()}")
