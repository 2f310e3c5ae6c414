"""Write zips. To deflate takes most of a build, so each library is deflated once and kept."""

from __future__ import annotations

import hashlib
import tempfile
import zlib
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from scripts.bundle.bytecode import Interpreter
from scripts.bundle.imports import BuildError
from shared import VERSION


def library_zip(files: Mapping[str, bytes], interpreter: Interpreter | None, kept: Path) -> Path:
    """A zip of one library with its bytecode, made once for the same files and interpreter."""
    digest = hashlib.sha256(Path(__file__).read_bytes())  # other code here may write other zips
    digest.update(f"{interpreter and interpreter.name} {zlib.ZLIB_RUNTIME_VERSION}".encode())
    for name, content in sorted(files.items()):
        digest.update(f"\0{name}\0{len(content)}\0".encode() + content)
    path = kept / f"{digest.hexdigest()}.zip"
    if not path.exists():
        compiled = interpreter.compile_library(files) if interpreter else {}
        kept.mkdir(parents=True, exist_ok=True)
        # Written beside and renamed, so that an interrupted build leaves no half a file.
        with tempfile.TemporaryDirectory(dir=kept) as unfinished:
            write_zip(Path(unfinished, "zip"), {**files, **compiled})
            Path(unfinished, "zip").rename(path)
    return path


def write_zip(path: Path, own: Mapping[str, bytes], libraries: Iterable[Path] = ()) -> int:
    """Write these files and all of these libraries' zips; return how many bytes they unpack to.

    Raises:
        BuildError: Two libraries hold different files under one name.
    """
    with ExitStack() as opened:
        sources: dict[str, ZipFile] = {}
        for library in libraries:
            archive = opened.enter_context(ZipFile(library))
            for entry in archive.infolist():
                other = sources.setdefault(entry.filename, archive).getinfo(entry.filename)
                if entry.filename in own or other.CRC != entry.CRC:
                    raise BuildError(f"two packages have a different {entry.filename}")
        with ZipFile(path, "w") as archive:
            archive.comment = f"batchdrop {VERSION}".encode()
            for name in sorted({*own, *sources}):
                if name in sources:
                    _copy(sources[name], sources[name].getinfo(name), archive)
                else:
                    _deflate(name, own[name], archive)
            return sum(entry.file_size for entry in archive.infolist())


def _deflate(name: str, content: bytes, archive: ZipFile) -> None:
    entry = ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    entry.compress_type = ZIP_DEFLATED
    entry.create_system = 3  # Unix, wherever it is built, so that the mode below counts
    entry.external_attr = (0o755 if ".so" in name else 0o644) << 16
    archive.writestr(entry, content)


def _copy(source: ZipFile, entry: ZipInfo, archive: ZipFile) -> None:
    """Copy a file that ``_deflate`` wrote, as it lies there; zipfile itself would inflate it."""
    assert source.fp is not None  # noqa: S101 - both are open
    assert archive.fp is not None  # noqa: S101
    header = entry.FileHeader()
    source.fp.seek(entry.header_offset + len(header))
    entry.header_offset = archive.start_dir
    archive.fp.seek(archive.start_dir)
    archive.fp.write(header + source.fp.read(entry.compress_size))
    archive.start_dir = archive.fp.tell()
    archive.filelist.append(entry)
