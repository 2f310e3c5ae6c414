"""An object store and result lines that are plain files, to measure a path without HTTP."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from pathlib import Path
from types import TracebackType

from shared.formats.lines import byte_lines
from shared.ports.provider import BatchState
from shared.ports.store import ObjectHead
from shared.problems.exceptions import ObjectMissing

CHUNK_BYTES = 256 * 1024


class FileWriter:
    """``ObjectWriter`` over one file, which gets its name at ``commit``."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._draft = path.with_name(path.name + ".draft")
        self._file = self._draft.open("wb")
        self.size_bytes = 0

    def write(self, chunk: bytes) -> None:
        self._file.write(chunk)
        self.size_bytes += len(chunk)

    def commit(self) -> bool:
        self._file.close()
        self._draft.rename(self._path)
        return True

    def __enter__(self) -> FileWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


class FileStore:
    """``ObjectStore`` over a folder, for one process."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, key: str, content: bytes) -> None:
        path = self._root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def put_if_absent(self, key: str, content: bytes) -> bool:
        if (self._root / key).exists():
            return False
        self.put(key, content)
        return True

    def open_writer(self, key: str, *, if_absent: bool = False) -> FileWriter:
        del if_absent  # one process: nothing else takes the key
        return FileWriter(self._root / key)

    def get(self, key: str) -> bytes:
        return b"".join(self.read(key))

    def read(self, key: str, *, etag: str | None = None) -> Iterator[bytes]:
        del etag  # files do not change while they are measured
        try:
            file = (self._root / key).open("rb", buffering=0)
        except FileNotFoundError as error:
            raise ObjectMissing(key) from error
        with file:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk

    def head(self, key: str) -> ObjectHead | None:
        path = self._root / key
        if not path.is_file():
            return None
        stat = path.stat()
        return ObjectHead(key, stat.st_size, "0" * 32, datetime.fromtimestamp(stat.st_mtime, tz=timezone.utc))

    def list(self, prefix: str) -> Iterator[ObjectHead]:
        for path in sorted(self._root.rglob("*")):
            found = self.head(path.relative_to(self._root).as_posix())
            if found and found.key.startswith(prefix):
                yield found

    def delete(self, key: str) -> None:
        (self._root / key).unlink(missing_ok=True)

    def concatenate(self, key: str, sources: Sequence[str]) -> None:
        with self.open_writer(key) as writer:
            for source in sources:
                for chunk in self.read(source):
                    writer.write(chunk)
            writer.commit()


class ResultFiles:
    """The one call of ``BatchProvider`` that is measured; a batch's result files are files."""

    def __init__(self, store: FileStore) -> None:
        self._store = store

    def results(self, state: BatchState) -> Iterator[bytes]:
        for name in state.result_files:
            yield from byte_lines(self._store.read(name))
