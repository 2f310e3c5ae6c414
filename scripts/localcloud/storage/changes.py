"""Takes over what a person copied into, changed in or deleted from a bucket's directory."""

from __future__ import annotations

import logging
import mimetypes
import stat
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from scripts.localcloud.storage.content import Digest, Write, new_request_id, read_pieces
from scripts.localcloud.storage.object_events import ObjectEvent
from scripts.localcloud.storage.object_index import Fingerprint, StoredObject
from scripts.localcloud.storage.refusals import Refusal
from scripts.localcloud.storage.storage import Storage

log = logging.getLogger(__name__)


class _Outdated(Exception):
    """The file or its index row changed while it was read; the next scan looks again."""


_NO_NAME = (
    "文件名（含文件夹）不是 UTF-8 编码，或超过 1023 字节，存储桶里不能有这样的名字；请重命名后再放入。"
    "The name, with its folders, is not UTF-8, or has more than 1,023 bytes, so no object can be called so. Rename it."
)
# A file that keeps changing, such as a log, must not hold up its neighbours for ever.
_MAX_HELD_SCANS = 30
# No recipe is as large, so no neighbour needs a larger file to be indexed.
LARGE_BYTES = 1024 * 1024


@dataclass
class _Held:
    """An event that is not delivered yet, and for how many scans."""

    event: ObjectEvent
    scans: int = 0


@dataclass
class _Reading:
    """A large file that has come to rest, and how much of it is digested."""

    bucket: str
    key: str
    file: Path
    state: Fingerprint
    digest: Digest = field(default_factory=Digest)

    @property
    def left_bytes(self) -> int:
        return self.state.size_bytes - self.digest.size_bytes

    def go_on(self, may_go_on: Callable[[], bool]) -> None:
        with self.file.open("rb") as stream:
            for piece in read_pieces(stream, self.digest.size_bytes, self.left_bytes):
                self.digest.add(piece)
                if not may_go_on():
                    return


class HandChanges:
    """Compares directories with the index, and remembers how changed files looked at the last scan.

    A file that is still being copied grows; one that looks the same at two scans is complete.
    Files that are copied together belong together: a table must not be read before the recipe that
    comes after it. So every complete file is indexed first, and no event leaves a top-level folder
    in which a file is still changing. Only large files are indexed later: the others need not wait
    until gigabytes have been read.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._last: dict[str, dict[str, Fingerprint]] = {}
        self._held: dict[str, dict[int, _Held]] = {}
        self._large: dict[tuple[str, str], _Reading] = {}
        self._passed_over: set[Path] = set()

    def scan(self) -> float:
        """Look for changes made by hand; a new file counts once two scans in a row saw it alike.

        Returns how many seconds the looking took, without what was done about new files: that is
        what every scan costs.
        """
        return sum(map(self._scan, self._storage.buckets()))

    def read_large(self, may_go_on: Callable[[], bool]) -> None:
        """Go on to read large files, the smallest first, and index those that have been read."""
        for reading in sorted(self._large.values(), key=lambda each: each.left_bytes):
            try:
                reading.go_on(may_go_on)
            except (OSError, EOFError):  # it changed, which the next scan sees
                continue
            if reading.left_bytes:
                return
            self._index(reading.bucket, reading.key, reading.file, reading.state, reading.digest)

    def _scan(self, bucket: str) -> float:
        started_s = time.monotonic()
        with self._storage.lock:
            known = self._storage.index.fingerprints(bucket)
        files = dict(self._storage.layout.walk(bucket, self._pass_over))
        on_disk = {key: state for key, file in files.items() if (state := self._look_at(bucket, file))}
        looked_s = time.monotonic() - started_s
        changing = self._take_over_resting(bucket, files, on_disk, known)
        self._deliver(bucket, {_top_folder(key) for key in changing})
        for key in known.keys() - on_disk.keys():
            self._forget(bucket, key)
        return looked_s

    def _take_over_resting(
        self,
        bucket: str,
        files: Mapping[str, Path],
        on_disk: Mapping[str, Fingerprint],
        known: Mapping[str, Fingerprint],
    ) -> set[str]:
        """Index what looks as it did at the last scan; return what does not."""
        differing = {key: state for key, state in on_disk.items() if known.get(key) != state}
        last = self._last.get(bucket, {})
        self._last[bucket] = differing
        resting = {key for key, state in differing.items() if last.get(key) == state}
        large = {key for key in resting if differing[key].size_bytes > LARGE_BYTES}
        self._read_later(bucket, {key: _Reading(bucket, key, files[key], differing[key]) for key in large})
        rest = {
            key for key in resting - large if not self._take_over(bucket, key, files[key], differing[key])
        }
        return differing.keys() - resting | rest

    def _read_later(self, bucket: str, found: Mapping[str, _Reading]) -> None:
        """Put large files in line to be read.

        One that changes is not found for a scan at least, so it begins again.
        """
        before = self._large
        self._large = {place: each for place, each in before.items() if place[0] != bucket}
        for key, reading in found.items():
            self._large[bucket, key] = before.get((bucket, key), reading)

    def _take_over(self, bucket: str, key: str, file: Path, state: Fingerprint) -> bool:
        """Index one file and hold its event; ``False`` if the file is changing after all."""
        try:
            return self._index(bucket, key, file, state, _digest(file))
        except EOFError:
            return False
        except OSError:  # it vanished, or may not be read: nothing to wait for
            return True

    def _index(self, bucket: str, key: str, file: Path, state: Fingerprint, digest: Digest) -> bool:
        """The same for a file that has been read."""

        def still_the_same(existing: StoredObject | None) -> None:
            if self._look_at(bucket, file) != state or (existing and existing.fingerprint == state):
                raise _Outdated

        content_type = mimetypes.guess_type(key)[0] or "application/octet-stream"
        write = Write(bucket, key, "ObjectCreated:PutObject", new_request_id(), content_type)
        try:
            _, number, event = self._storage.record(
                write, digest, still_the_same, lambda _: (file, state.mtime_ns)
            )
        except _Outdated:
            return False
        except (OSError, Refusal):  # its bucket was deleted: nothing to wait for
            return True
        self._held.setdefault(bucket, {})[number] = _Held(event)
        return True

    def _deliver(self, bucket: str, changing_folders: set[str]) -> None:
        waiting = self._held.get(bucket, {})
        for number, held in [*waiting.items()]:
            if _top_folder(held.event.key) in changing_folders and held.scans < _MAX_HELD_SCANS:
                held.scans += 1
            else:
                self._storage.deliver(number, held.event)
                del waiting[number]  # not before: on a full disk, the next scan tells again

    def _pass_over(self, file: Path) -> None:
        """Say once why nothing happens to a file."""
        if file not in self._passed_over:
            self._passed_over.add(file)
            log.warning("file.passed_over", extra={"file": str(file), "reason": _NO_NAME})

    def _forget(self, bucket: str, key: str) -> None:
        def still_gone(existing: StoredObject) -> None:
            if (self._storage.layout.data_dir / existing.file).is_file():
                raise _Outdated

        try:
            self._storage.delete(bucket, key, "ObjectRemoved:DeleteObject", new_request_id(), still_gone)
        except (_Outdated, Refusal):
            return

    def _look_at(self, bucket: str, file: Path) -> Fingerprint | None:
        """How a file looks now; ``None`` if it is gone, is none, or is a link out of its bucket."""
        try:
            status = file.stat()
        except OSError:
            return None
        layout = self._storage.layout
        is_elsewhere = file.is_symlink() and not layout.is_inside(bucket, file)
        if not stat.S_ISREG(status.st_mode) or is_elsewhere:
            return None
        return Fingerprint(file.relative_to(layout.data_dir).as_posix(), status.st_size, status.st_mtime_ns)


def _digest(file: Path) -> Digest:
    digest = Digest()
    with file.open("rb") as stream:
        for piece in read_pieces(stream):
            digest.add(piece)
    return digest


def _top_folder(key: str) -> str:
    return key.partition("/")[0]
