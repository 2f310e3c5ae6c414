"""One function's zip: its own modules, the libraries that they import, and their bytecode."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from scripts.bundle.bytecode import Interpreter
from scripts.bundle.contents import STAND_INS, STAND_INS_UNLESS_OURS, is_left_out, stand_in_files
from scripts.bundle.imports import BuildError, imports_of
from scripts.bundle.libraries import Target, libraries_for
from scripts.bundle.packing import library_zip, write_zip
from scripts.template.read import FUNCTION
from scripts.template.ros import read_template

ROOT = Path(__file__).resolve().parents[2]

# The most that the API takes in a request; through a bucket, as in functions/README.md, 500 MB
# (https://www.alibabacloud.com/help/zh/functioncompute/fc-3-0/product-overview/limits-of-usage).
MAX_ZIP_BYTES = 100_000_000
# Every new instance downloads and unpacks the zip before it can start.
LARGE_ZIP_BYTES = 25_000_000
# What pyarrow adds, where Parquet is read or written; it is loaded for such files only.
_PYARROW_BYTES = 27_000_000
_NO_DATA = {".py", ".pyc", ".md"}
# The template's Handler is index.handler, which must be at the root of the zip. Imports leave no
# garbage. Collecting during the imports, and scanning the imported objects on every later
# collection, made a cold start a tenth longer.
_ROOT_INDEX = """\
import gc

gc.disable()
from functions.{function}.index import handler as handler

gc.freeze()
gc.enable()
"""


@dataclass(frozen=True)
class Built:
    """One finished zip; ``compiled_by`` is the Python that made its bytecode, if any did."""

    function: str
    path: Path
    distributions: tuple[str, ...]
    zip_bytes: int
    unpacked_bytes: int
    compiled_by: str | None

    @property
    def large_bytes(self) -> int:
        """From where on the zip is larger than its packages explain."""
        return LARGE_ZIP_BYTES + (_PYARROW_BYTES if "pyarrow" in self.distributions else 0)


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


def build(
    function: str,
    target: Target,
    *,
    root: Path,
    out: Path,
    interpreter: Interpreter | None = None,
    max_zip_bytes: int = MAX_ZIP_BYTES,
) -> Built:
    """Write ``out/<function>.zip``. The same sources, lock and interpreter give the same bytes.

    Raises:
        BuildError: A module or package is missing, or the zip is too large and therefore gone.
    """
    imports = imports_of(function, root)
    own = _own_files(function, root, imports.files)
    if interpreter:
        own |= interpreter.compile_ours(own)
    spared = {name for name, module in STAND_INS_UNLESS_OURS.items() if module not in imports.third_party}
    libraries = _libraries(imports.third_party, spared, target, root)
    kept = [library_zip(files, interpreter, root / "build" / "deflated") for files in libraries.values()]
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{function}.zip"
    unpacked_bytes = write_zip(path, own, kept)
    zip_bytes = path.stat().st_size
    if zip_bytes > max_zip_bytes:
        path.unlink()
        found, allowed = f"{zip_bytes / 1e6:.1f} MB", f"{max_zip_bytes / 1e6:.1f} MB"
        raise BuildError(f"{path.name} has {found}; {allowed} are allowed")
    compiled_by = interpreter.name if interpreter else None
    distributions = tuple(name for name in libraries if name not in STAND_INS.keys() | spared)
    return Built(function, path, distributions, zip_bytes, unpacked_bytes, compiled_by)


def _libraries(
    modules: frozenset[str], spared: Collection[str], target: Target, root: Path
) -> dict[str, dict[str, bytes]]:
    """The files of everything that these modules need, by package; stand-ins for what is spared."""
    if not modules:
        return {}
    installed = libraries_for(target, root / "requirements.lock", root / "build" / "libraries")
    return {
        name: stand_in_files(name) if name in spared else installed.files(name)
        for name in installed.closure(modules)
    }


def _own_files(function: str, root: Path, modules: frozenset[Path]) -> dict[str, bytes]:
    folder = root / "functions" / function
    others = {path.relative_to(root) for path in folder.rglob("*") if path.is_file()}
    others |= _beside(modules, root)
    kept = (path for path in modules | others if not is_left_out(PurePosixPath(path.as_posix())))
    files = {path.as_posix(): (root / path).read_bytes() for path in kept}
    files["index.py"] = _ROOT_INDEX.format(function=function).encode()
    return files


def _beside(modules: frozenset[Path], root: Path) -> set[Path]:
    """What lies beside our modules and is no module and no page: they read it as a file."""
    folders = {root / module.parent for module in modules}
    beside = (path for folder in folders for path in folder.iterdir() if path.is_file())
    return {path.relative_to(root) for path in beside if path.suffix not in _NO_DATA}
