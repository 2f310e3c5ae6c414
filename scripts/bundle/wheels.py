"""Get the pinned wheels of some packages and of everything they require, through pip, kept for the next build."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from email.parser import HeaderParser
from importlib import metadata
from pathlib import Path
from zipfile import ZipFile

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scripts.bundle.contents import STAND_INS
from scripts.bundle.imports import BuildError
from scripts.bundle.lock import Pin, Target, pins_for

# This has no wheel on PyPI; building one runs its setup.py. A new such package fails in pip with "no matching
# distribution", and has to be looked at before it is added here.
SOURCE_ONLY = frozenset({"oss2"})


class WheelStore:
    """Wheels for one target; ``cache`` may be shared with other targets and other builds."""

    def __init__(self, target: Target, lock: Path, cache: Path) -> None:
        self._target = target
        self._pins = pins_for(target, lock)
        self._cache = cache

    def closure(self, names: set[str]) -> dict[str, Path]:
        """The wheels of these distributions and of all that they require on the target, by canonical name.

        What a stand-in takes the place of is not among them, nor what only that requires.

        Raises:
            BuildError: Something required is not in the lock, or pip cannot get it.
        """
        self._fetch([self._pins[name] for name in self._expected(names)])
        wheels: dict[str, Path] = {}
        wanted = set(names)
        while wanted:
            wheels |= self._fetch([self._pin(name) for name in sorted(wanted)])
            wanted = {
                name for wheel in wheels.values() for name in self._required(wheel_requirements(wheel))
            } - wheels.keys()
        return dict(sorted(wheels.items()))

    def stand_ins(self, wheels: Mapping[str, Path]) -> list[str]:
        """The distributions that these wheels require and that stand-ins take the place of."""
        required = (Requirement(line) for wheel in wheels.values() for line in wheel_requirements(wheel))
        return sorted({canonicalize_name(each.name) for each in required} & STAND_INS.keys())

    def _expected(self, names: set[str]) -> list[str]:
        """What these require by what is installed here: most of the closure, for one download instead of many.

        Only the wheels themselves decide; another Python may require something else.
        """
        expected: set[str] = set()
        wanted = names & self._pins.keys()
        while wanted:
            expected |= wanted
            required = {each for name in wanted for each in self._required(installed_requirements(name))}
            wanted = required & self._pins.keys() - expected
        return sorted(expected)

    def _pin(self, name: str) -> Pin:
        if name not in self._pins:
            raise BuildError(f"{name} is not in requirements.lock for Python {self._target.python}")
        return self._pins[name]

    def _required(self, lines: Iterable[str]) -> Iterator[str]:
        environment = {**self._target.environment, "extra": ""}
        for line in lines:
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate(environment):
                if requirement.extras:
                    raise BuildError(f"{requirement} is required; extras are not followed here")
                name = canonicalize_name(requirement.name)
                yield from STAND_INS[name].requires if name in STAND_INS else {name}

    def _fetch(self, pins: Sequence[Pin]) -> dict[str, Path]:
        missing = [pin for pin in pins if self._cached(pin) is None]
        with ThreadPoolExecutor() as threads:
            # A pip that builds mostly waits for the index and the disk, so they all run at once.
            builds = [threads.submit(self._build, pin) for pin in missing if pin.name in SOURCE_ONLY]
            self._download([pin for pin in missing if pin.name not in SOURCE_ONLY])
        for build in builds:
            build.result()
        return {pin.name: wheel for pin in pins if (wheel := self._cached(pin)) is not None}

    def _folder(self, pin: Pin) -> Path:
        # What is built from source is pure, so all targets share it.
        return self._cache / ("source" if pin.name in SOURCE_ONLY else self._target.name) / pin.key

    def _cached(self, pin: Pin) -> Path | None:
        return next(self._folder(pin).glob("*.whl"), None)

    def _download(self, pins: Sequence[Pin]) -> None:
        if not pins:
            return
        arguments = ["download", "--only-binary=:all:"]
        if self._target.platforms:
            abi = f"cp{self._target.python.replace('.', '')}"
            arguments += ["--python-version", self._target.python, "--implementation", "cp", "--abi", abi]
            arguments += [part for platform in self._target.platforms for part in ("--platform", platform)]
        with tempfile.TemporaryDirectory() as folder:
            _pip([*arguments, "--dest", folder], pins)
            self._keep(Path(folder), pins)

    def _build(self, pin: Pin) -> None:
        # No pip cache: it may hold a wheel that was built with a compiler, for this machine's Python. CC=false makes
        # sure that none is used now.
        with tempfile.TemporaryDirectory() as folder:
            # Python 3.10's pip would else look for setuptools and wheel in .venv, which has no wheel.
            arguments = [
                "wheel",
                "--use-pep517",
                "--no-cache-dir",
                "--no-binary",
                pin.name,
                "--wheel-dir",
                folder,
            ]
            _pip(arguments, [pin], {"CC": "false", "CXX": "false"})
            impure = [
                wheel.name for wheel in Path(folder).glob("*.whl") if not wheel.stem.endswith("-none-any")
            ]
            if impure:
                raise BuildError(f"{impure[0]} holds compiled code for this machine; it cannot be deployed")
            self._keep(Path(folder), [pin])

    def _keep(self, folder: Path, pins: Sequence[Pin]) -> None:
        wheels: dict[str, Path] = {
            canonicalize_name(wheel.name.partition("-")[0]): wheel for wheel in folder.glob("*.whl")
        }
        for pin in pins:
            kept = self._folder(pin) / wheels[pin.name].name
            kept.parent.mkdir(parents=True, exist_ok=True)
            # Copied beside and renamed, so that an interrupted build leaves no half a wheel.
            with tempfile.NamedTemporaryFile(dir=kept.parent, delete=False) as partial:
                partial.write(wheels[pin.name].read_bytes())
            shutil.move(partial.name, kept)


def installed_requirements(name: str) -> list[str]:
    """The ``Requires-Dist`` lines of what is installed here; none if it is not installed."""
    try:
        return metadata.requires(name) or []
    except metadata.PackageNotFoundError:
        return []


def wheel_requirements(wheel: Path) -> list[str]:
    """The ``Requires-Dist`` lines of a wheel."""
    with ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        headers = HeaderParser().parsestr(archive.read(name).decode("utf-8"))
    return headers.get_all("Requires-Dist") or []


def _pip(arguments: Sequence[str], pins: Sequence[Pin], variables: dict[str, str] | None = None) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".txt", delete=False, encoding="utf-8") as requirements:
        requirements.writelines(f"{pin}\n" for pin in pins)
    common = [
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "--require-hashes",
        "-r",
        requirements.name,
    ]
    try:
        subprocess.run(
            [sys.executable, "-m", "pip", *arguments, *common],
            check=True,
            capture_output=True,
            text=True,
            env={**os.environ, **(variables or {})},
        )
    except subprocess.CalledProcessError as error:
        raise BuildError(f"pip {arguments[0]} failed:\n{error.stderr.strip()}") from error
    finally:
        Path(requirements.name).unlink()
