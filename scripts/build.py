"""Build one deployable zip per function: ``python -m scripts.build [--out dist] [--python 3.10] [function …]``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from scripts.bundle.imports import BuildError, imports_of
from scripts.bundle.lock import Target, distributions_of
from scripts.bundle.wheels import WheelStore
from scripts.localcloud.ros import read_template
from scripts.localcloud.template import FUNCTION

ROOT = Path(__file__).resolve().parent.parent

# Only directories: jinja2/tests.py and werkzeug/test.py are part of what runs.
_LEFT_OUT_FOLDERS = frozenset({"test", "tests", "SelfTest", "__pycache__"})
_LEFT_OUT_SUFFIXES = (".pyc", ".pyi")
# Libraries read their version from METADATA; licences have to go along. The rest is for installers.
_KEPT_OF_DIST_INFO = ("METADATA", "entry_points.txt")


@dataclass(frozen=True)
class Built:
    """One finished zip; sizes in bytes."""

    function: str
    path: Path
    distributions: tuple[str, ...]
    zip_bytes: int
    unpacked_bytes: int


def runtimes(template: Path) -> dict[str, str]:
    """The Python version that the template names for each function, by the stem of its zip."""
    functions = (
        resource["Properties"]
        for resource in read_template(template)["Resources"].values()
        if resource["Type"] == FUNCTION
    )
    return {
        _stem(spec["Code"]["OssObjectName"]): spec["Runtime"].removeprefix("python") for spec in functions
    }


def _stem(name: object) -> str:
    text = name["Fn::Sub"] if isinstance(name, dict) else name
    return PurePosixPath(str(text).replace("}", "/")).stem


def build(function: str, store: WheelStore, *, root: Path, out: Path) -> Built:
    """Write ``out/<function>.zip``. The same sources and wheels give the same bytes.

    Raises:
        BuildError: A module or package is missing.
    """
    imports = imports_of(function, root)
    wheels = store.closure(distributions_of(imports.third_party))
    files = _own_files(function, root, imports.files)
    for name, wheel in wheels.items():
        for file, content in _wheel_files(wheel).items():
            if files.setdefault(file, content) != content:
                raise BuildError(f"{name} has another {file} than a package before it")
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{function}.zip"
    _write_zip(path, files)
    return Built(function, path, tuple(wheels), path.stat().st_size, sum(map(len, files.values())))


def _own_files(function: str, root: Path, modules: frozenset[Path]) -> dict[str, bytes]:
    folder = root / "functions" / function
    others = {path.relative_to(root) for path in folder.rglob("*") if path.is_file()}
    kept = (path for path in modules | others if not _left_out(PurePosixPath(path.as_posix())))
    files = {path.as_posix(): (root / path).read_bytes() for path in kept}
    # The template's Handler is index.handler, which Function Compute looks for at the root of the zip.
    files["index.py"] = f"from functions.{function}.index import handler as handler\n".encode()
    return files


def _wheel_files(wheel: Path) -> dict[str, bytes]:
    files = {}
    with ZipFile(wheel) as archive:
        for name in archive.namelist():
            target = _place(PurePosixPath(name))
            if target is not None and not name.endswith("/"):
                files[target] = archive.read(name)
    return files


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
    return None if _left_out(path) else str(path)


def _left_out(path: PurePosixPath) -> bool:
    return not _LEFT_OUT_FOLDERS.isdisjoint(path.parts[:-1]) or path.suffix in _LEFT_OUT_SUFFIXES


def _write_zip(path: Path, files: dict[str, bytes]) -> None:
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        for name in sorted(files):
            entry = ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = ZIP_DEFLATED
            entry.create_system = 3  # Unix, wherever it is built, so that the mode below counts
            entry.external_attr = (0o755 if ".so" in name else 0o644) << 16
            archive.writestr(entry, files[name])


def _table(results: Sequence[Built]) -> str:
    rows = [("function", "zip", "unpacked", "packages")]
    rows += [
        (
            one.function,
            f"{one.zip_bytes / 1e6:.1f} MB",
            f"{one.unpacked_bytes / 1e6:.1f} MB",
            " ".join(one.distributions),
        )
        for one in results
    ]
    return "\n".join(
        f"{name:<10} {size:>8} {unpacked:>9}  {packages}" for name, size, unpacked, packages in rows
    )


def _chosen(names: Sequence[str], known: dict[str, str]) -> dict[str, str]:
    unknown = sorted(set(names) - known.keys())
    if unknown:
        raise BuildError(f"the template has no function {', '.join(unknown)}; it has {', '.join(known)}")
    return {name: known[name] for name in names or known}


def main(arguments: Sequence[str], root: Path = ROOT) -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.build", description=__doc__)
    parser.add_argument(
        "functions", nargs="*", help="folders under functions/; all of the template's if none"
    )
    parser.add_argument("--out", type=Path, default=root / "dist")
    parser.add_argument(
        "--python", help="3.10 and the like, or 'current'; the template's runtime if not given"
    )
    options = parser.parse_args(arguments)
    try:
        wanted = _chosen(options.functions, runtimes(root / "template.yaml"))
        results = []
        for function, runtime in wanted.items():
            python = options.python or runtime
            target = Target.current() if python == "current" else Target.function_compute(python)
            store = WheelStore(target, root / "requirements.lock", root / "build" / "wheels")
            results.append(build(function, store, root=root, out=options.out))
    except BuildError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(_table(results))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
