"""Where an object's bytes lie: under its own name if a file system can hold that, else by hash."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from scripts.localcloud.storage import refusals

PRIVATE = ".localcloud"
MAX_KEY_BYTES = 1023
MAX_SEGMENT_BYTES = 255
_BUCKET = re.compile("[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
# What Windows cannot have in a name. On other systems a person may use it, and must find the result
# under the same name.
_IS_WINDOWS = os.name == "nt"
_NOT_ON_WINDOWS = frozenset('\\:*?"<>|\r\n')
# What file managers, browsers and office programs leave beside a file while they work on it.
_DROPPING = re.compile(
    r"\..*|~\$.*|.*\.(part|partial|crdownload|download|tmp)|.*~|Thumbs\.db|desktop\.ini", re.I | re.S
)


def check_bucket_name(bucket: str) -> None:
    if not _BUCKET.fullmatch(bucket):
        raise refusals.invalid_bucket_name()


def check_key(key: str) -> None:
    if not 1 <= len(key.encode()) <= MAX_KEY_BYTES:
        raise refusals.invalid_object_name()


def has_plain_name(key: str) -> bool:
    """Whether a file of this name would be found as this key again, on the usual file systems.

    A name that a scan ignores is not plain: an uploaded ``x.part`` is kept by hash, and a
    half-copied one beside it stays invisible.
    """
    return all(map(_is_plain_segment, key.split("/")))


def _is_plain_segment(segment: str) -> bool:
    return (
        bool(segment)
        and len(segment.encode()) <= MAX_SEGMENT_BYTES
        and not _DROPPING.fullmatch(segment)
        and "\0" not in segment
        and not (_IS_WINDOWS and (_NOT_ON_WINDOWS & set(segment) or segment != segment.rstrip(". ")))
    )


@dataclass(frozen=True)
class Layout:
    """The directories under one data directory."""

    data_dir: Path

    @property
    def index_file(self) -> Path:
        return self.data_dir / PRIVATE / "index.sqlite"

    @property
    def temporary_dir(self) -> Path:
        return self.data_dir / PRIVATE / "temporary"

    @property
    def uploads_dir(self) -> Path:
        return self.data_dir / PRIVATE / "uploads"

    def bucket_dir(self, bucket: str) -> Path:
        return self.data_dir / bucket

    def hashed_dir(self, bucket: str) -> Path:
        return self.data_dir / PRIVATE / "hashed" / bucket

    def hashed_file(self, bucket: str, key: str) -> Path:
        return self.hashed_dir(bucket) / hashlib.sha256(key.encode()).hexdigest()

    def place_for(self, bucket: str, key: str) -> Path:
        """Make room for an object and say where its file goes.

        A file system cannot hold both ``a`` and ``a/b``: the second to come is kept by hash.
        """
        plain = self.bucket_dir(bucket) / key
        if has_plain_name(key) and self.is_inside(bucket, plain.parent) and not plain.is_dir():
            with contextlib.suppress(FileExistsError, NotADirectoryError):
                plain.parent.mkdir(parents=True, exist_ok=True)
                return plain
        return self._hashed_place(bucket, key)

    def is_inside(self, bucket: str, place: Path) -> bool:
        """Whether it lies in the bucket's folder: a person may have put a symbolic link there."""
        return place.resolve().is_relative_to(self.bucket_dir(bucket).resolve())

    def _hashed_place(self, bucket: str, key: str) -> Path:
        file = self.hashed_file(bucket, key)
        file.parent.mkdir(parents=True, exist_ok=True)
        # The name beside the bytes makes the index repairable.
        file.with_suffix(".key").write_bytes(key.encode())
        return file

    def remove(self, bucket: str, file: Path) -> None:
        """Delete an object's file and its empty folders, but not the bucket's top folders."""
        # A person may have put a folder in the file's place since.
        if file.is_file() or file.is_symlink():
            file.unlink(missing_ok=True)
        if file.parent == self.hashed_dir(bucket):
            file.with_suffix(".key").unlink(missing_ok=True)
            return
        top = self.bucket_dir(bucket)
        for folder in file.parents:
            if top in (folder, folder.parent):
                return
            try:
                folder.rmdir()
            except OSError:
                return

    def buckets(self) -> list[str]:
        """A bucket is a directory with a bucket's name."""
        return sorted(
            entry.name
            for entry in os.scandir(self.data_dir)
            if entry.is_dir(follow_symlinks=False) and _BUCKET.fullmatch(entry.name)
        )

    def walk(self, bucket: str, pass_over: Callable[[Path], None]) -> Iterator[tuple[str, Path]]:
        """Key and file of every object that lies on the disk, in no order.

        ``pass_over`` hears of each file whose name no object can have.
        """
        top = self.bucket_dir(bucket)
        for folder, _, names in os.walk(top):
            for name in names:
                file = Path(folder, name)
                key = file.relative_to(top).as_posix()
                if _is_utf8(key) and len(key.encode()) <= MAX_KEY_BYTES:
                    if has_plain_name(key):
                        yield key, file
                elif not any(map(_DROPPING.fullmatch, key.split("/"))):
                    pass_over(file)
        for name_file in self.hashed_dir(bucket).glob("*.key"):
            with contextlib.suppress(FileNotFoundError):  # deleted while we walk
                yield name_file.read_bytes().decode(), name_file.with_suffix("")


def _is_utf8(name: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in name)
