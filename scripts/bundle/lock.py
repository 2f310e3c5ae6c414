"""Read requirements.lock, and pick from it what one Python on one platform gets."""

from __future__ import annotations

import csv
import functools
import hashlib
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path, PurePosixPath
from typing import cast

from packaging.markers import Marker, default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scripts.bundle.imports import BuildError

# Function Compute's python3.10 runs on Debian 10, whose glibc is 2.28
# (https://www.alibabacloud.com/help/en/functioncompute/fc/python-environment). pip takes these names literally, so each
# one that such a system can load is listed, the newest first.
_FC_PLATFORMS = (
    *(f"manylinux_2_{minor}_x86_64" for minor in range(28, 16, -1)),
    "manylinux2014_x86_64",
    "manylinux_2_12_x86_64",
    "manylinux2010_x86_64",
    "manylinux_2_5_x86_64",
    "manylinux1_x86_64",
)


@dataclass(frozen=True)
class Target:
    """The Python that will run the zip. ``platforms`` is empty for the Python that runs now."""

    python: str
    platforms: tuple[str, ...]
    environment: Mapping[str, str]

    @property
    def name(self) -> str:
        return f"cp{self.python.replace('.', '')}-{'fc' if self.platforms else sys.platform}"

    @classmethod
    def current(cls) -> Target:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        return cls(version, (), cast("dict[str, str]", default_environment()))

    @classmethod
    def function_compute(cls, python: str) -> Target:
        """``python`` is ``3.10`` or the like; the patch level is not ours to choose, so 0 stands for all."""
        environment = {
            "implementation_name": "cpython",
            "implementation_version": f"{python}.0",
            "os_name": "posix",
            "platform_machine": "x86_64",
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Linux",
            "platform_version": "",
            "python_full_version": f"{python}.0",
            "python_version": python,
            "sys_platform": "linux",
        }
        return cls(python, _FC_PLATFORMS, environment)


@dataclass(frozen=True)
class Pin:
    """One line of the lock."""

    name: str
    version: str
    hashes: tuple[str, ...]
    marker: Marker | None = None

    @property
    def key(self) -> str:
        """Changes whenever the lock pins something else."""
        digest = hashlib.sha256(" ".join(self.hashes).encode()).hexdigest()
        return f"{self.name}-{self.version}-{digest[:12]}"

    def __str__(self) -> str:
        return " ".join([f"{self.name}=={self.version}", *(f"--hash={value}" for value in self.hashes)])


def pins_for(target: Target, lock: Path) -> dict[str, Pin]:
    """What the lock pins for this target, by canonical name.

    Raises:
        BuildError: A line pins no single version, or has no hash.
    """
    text = re.sub(r"\\\n", " ", lock.read_text(encoding="utf-8"))
    lines = (line.strip() for line in text.split("\n"))
    pins = (_pin(line) for line in lines if line and not line.startswith("#"))
    environment = dict(target.environment)
    return {pin.name: pin for pin in pins if pin.marker is None or pin.marker.evaluate(environment)}


def _pin(line: str) -> Pin:
    requirement = Requirement(line.partition(" --hash=")[0])
    versions = [spec.version for spec in requirement.specifier if spec.operator == "=="]
    hashes = tuple(re.findall(r"--hash=(\S+)", line))
    if len(versions) != 1 or not hashes:
        raise BuildError(f"requirements.lock: {requirement} pins no single version with hashes")
    return Pin(canonicalize_name(requirement.name), versions[0], hashes, requirement.marker)


def distributions_of(import_names: frozenset[str]) -> set[str]:
    """The canonical names of the installed distributions that provide these top-level modules.

    Raises:
        BuildError: A module is not installed here.
    """
    providers = _providers()
    unknown = sorted(import_names - providers.keys())
    if unknown:
        raise BuildError(f"no installed package provides {', '.join(unknown)}; is it in requirements.lock?")
    return {providers[name] for name in import_names}


@functools.cache
def _providers() -> dict[str, str]:
    # Not metadata.packages_distributions(): in Python 3.10 it knows only packages that have a top_level.txt. Not
    # distribution.files either: it looks up every file on the disk, which takes seconds.
    return {
        path.parts[0].partition(".")[0]: canonicalize_name(distribution.metadata["Name"])
        for distribution in metadata.distributions()
        for path in _recorded(distribution)
        if path.suffix in {".py", ".so", ".pyd"} and not path.parts[0].endswith((".dist-info", ".data"))
    }


def _recorded(distribution: metadata.Distribution) -> Iterator[PurePosixPath]:
    record = distribution.read_text("RECORD")
    if record is None:
        # The pip of Python 3.10 installs what has no wheel as an egg, which lists its modules but has no RECORD.
        modules = (distribution.read_text("top_level.txt") or "").split()
        return (PurePosixPath(f"{module}.py") for module in modules)
    return (PurePosixPath(row[0]) for row in csv.reader(record.split("\n")) if row)
