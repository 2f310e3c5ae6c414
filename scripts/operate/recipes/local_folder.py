"""A table's folder on this machine as a bucket: what the functions would say, without a cloud."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from scripts.operate.texts.said import Refusal
from shared.bucket.keys import INBOX
from shared.bucket.result_names import recipe_candidates
from shared.ports.store import ObjectHead
from shared.problems.exceptions import ObjectMissing

_INBOX_FOLDER = INBOX.rstrip("/")
_CHUNK_BYTES = 256 * 1024  # as from OSS


def require_file(path: Path) -> None:
    """Raise ``Refusal`` where somebody names what is no file, or cannot be one of a bucket."""
    if not path.is_file():
        raise Refusal("is_a_folder" if path.is_dir() else "no_such_file", file=path)
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        raise Refusal("name_is_no_text", file=path) from error


class LocalFolder:
    """``ObjectStore`` whose ``inbox/`` is a folder of this machine, which it only reads.

    Everything else, such as drafts and reports, is in a folder of its own.

    Attributes:
        key: The table's.
    """

    def __init__(self, table: Path, scratch: Path, recipe: Path | None = None) -> None:
        """``recipe`` counts instead of the ``batch.yaml`` beside the table."""
        path = Path(os.path.normpath(table.absolute()))
        above = path.parts[:-1]
        depth = 1
        if _INBOX_FOLDER in above:
            # The table lies in a real inbox, where recipes of the folders above it count, too.
            depth = above[::-1].index(_INBOX_FOLDER) + 1
        self._inbox = path.parents[depth - 1]
        self._scratch = scratch
        self.key = INBOX + path.relative_to(self._inbox).as_posix()
        nearest = recipe_candidates(self.key)[0]
        self._instead = {nearest: recipe} if recipe and nearest != self.key else {}

    def put(self, key: str, content: bytes) -> None:
        self.put_if_absent(key, content, is_kept=False)

    def put_if_absent(self, key: str, content: bytes, *, is_kept: bool = True) -> bool:
        with self.open_writer(key, if_absent=is_kept) as writer:
            writer.write(content)
            return writer.commit()

    def open_writer(self, key: str, *, if_absent: bool = False) -> LocalWriter:
        return LocalWriter(self._scratch_path(key), self._scratch, if_absent=if_absent)

    def get(self, key: str) -> bytes:
        return b"".join(self.read(key))

    def read(self, key: str, *, etag: str | None = None) -> Iterator[bytes]:
        head = self.head(key)
        if head is None or (etag is not None and etag != head.etag):
            raise ObjectMissing(key)
        with self._path(key).open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                yield chunk

    def head(self, key: str) -> ObjectHead | None:
        path = self._path(key)
        if not path.is_file():
            return None
        found = path.stat()
        modified_at = datetime.fromtimestamp(found.st_mtime, timezone.utc)
        return ObjectHead(key, found.st_size, f"{found.st_mtime_ns:X}{found.st_size:X}", modified_at)

    def list(self, prefix: str, *, after: str = "") -> Iterator[ObjectHead]:
        """Of ``inbox/``, only the files of one folder: what lies below it may be a whole disk."""
        folder, _, start = prefix.rpartition("/")
        if prefix.startswith(INBOX):
            names = sorted(path.name for path in self._path(folder).iterdir())
            keys = [f"{folder}/{name}" for name in names if name.startswith(start)]
        else:
            paths = (path.relative_to(self._scratch).as_posix() for path in self._scratch.rglob("*"))
            keys = sorted(path for path in paths if path.startswith(prefix))
        yield from filter(None, map(self.head, (key for key in keys if key > after)))

    def delete(self, key: str) -> None:
        self._scratch_path(key).unlink(missing_ok=True)

    def concatenate(self, key: str, sources: Sequence[str]) -> None:
        with self.open_writer(key) as writer:
            for source in sources:
                for chunk in self.read(source):
                    writer.write(chunk)
            writer.commit()

    def _path(self, key: str) -> Path:
        if key in self._instead:
            return self._instead[key]
        if key == _INBOX_FOLDER or key.startswith(INBOX):
            return self._inbox / key[len(INBOX) :]
        return self._scratch / key

    def _scratch_path(self, key: str) -> Path:
        if key.startswith(INBOX):
            raise PermissionError(f"{key} is somebody's file")
        return self._scratch / key


class LocalWriter:
    """``ObjectWriter`` of a file."""

    def __init__(self, path: Path, scratch: Path, *, if_absent: bool) -> None:
        self._path = path
        self._if_absent = if_absent
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, draft = tempfile.mkstemp(dir=scratch)
        self._draft = Path(draft)
        self._file: BinaryIO = os.fdopen(descriptor, "wb")

    @property
    def size_bytes(self) -> int:
        return self._file.tell()

    def write(self, chunk: bytes) -> None:
        self._file.write(chunk)

    def commit(self) -> bool:
        self._file.close()
        if self._if_absent and self._path.exists():
            return False
        self._draft.replace(self._path)
        return True

    def __enter__(self) -> LocalWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        self._draft.unlink(missing_ok=True)
