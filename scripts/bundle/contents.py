"""Which files of a wheel go into a zip, and where to; what is left out, and why nothing misses it."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from zipfile import ZipFile

# Only directories: jinja2/tests.py and werkzeug/test.py are part of what runs.
_LEFT_OUT_FOLDERS = frozenset({"test", "tests", "SelfTest", "__pycache__"})
_LEFT_OUT_SUFFIXES = (".pyc", ".pyi")
# Libraries read their version from METADATA; licences have to go along. The rest is for installers.
_KEPT_OF_DIST_INFO = ("METADATA", "entry_points.txt")

# Parts of libraries that no function runs, by distribution. tests/e2e/test_build.py shows that the zips work without.
LEFT_OUT: dict[str, Sequence[str]] = {
    # cryptography needs only the compiled _cffi_backend. With cffi's Python part here, pycryptodome prefers it to
    # ctypes and parses C declarations while it is imported; without it, it uses ctypes as documented
    # (https://www.pycryptodome.org/src/faq). pycparser is that parser.
    "cffi": ("cffi/*",),
    "pycparser": ("pycparser/*",),
}


def wheel_files(distribution: str, wheel: Path) -> dict[str, bytes]:
    """What a wheel puts into a zip, by path, as pip would place it."""
    files = {}
    omitted = LEFT_OUT.get(distribution, ())
    with ZipFile(wheel) as archive:
        for name in archive.namelist():
            target = _place(PurePosixPath(name))
            if target is None or name.endswith("/") or any(fnmatchcase(target, each) for each in omitted):
                continue
            files[target] = archive.read(name)
    return files


def is_left_out(path: PurePosixPath) -> bool:
    return not _LEFT_OUT_FOLDERS.isdisjoint(path.parts[:-1]) or path.suffix in _LEFT_OUT_SUFFIXES


def _place(path: PurePosixPath) -> str | None:
    """Where a wheel's file goes, as pip would put it; ``None`` for what is left out."""
    parts = path.parts
    if parts[0].endswith(".data"):
        if parts[1] not in {"purelib", "platlib"}:
            return None  # scripts, headers
        path = PurePosixPath(*parts[2:])
    elif parts[0].endswith(".dist-info") and not (
        path.name in _KEPT_OF_DIST_INFO or "LICEN" in path.name.upper()
    ):
        return None
    return None if is_left_out(path) else str(path)
