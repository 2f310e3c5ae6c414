"""Ports in memory, for tests of what uses them; the contract tests keep them honest."""

from __future__ import annotations

import hashlib
import sys
import threading
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta, timezone
from types import TracebackType

from fastcrc import crc64

from shared.ports.clock import Clock
from shared.ports.store import ObjectHead
from shared.problems.exceptions import ObjectMissing

START = datetime(2026, 11, 21, 9, 0, 0, tzinfo=timezone.utc)


class FixedClock:
    """A clock that stands still until a test moves it."""

    def __init__(self, now: datetime = START) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def set(self, now: datetime) -> None:
        self._now = now

    def advance(self, span: timedelta) -> None:
        self._now += span


class Killed(BaseException):
    """The process is gone: no code of ours catches it."""


Hook = Callable[[str, str], object]

_LAST = chr(sys.maxunicode)  # behind every key of a prefix


class MemoryStore:
    """``ObjectStore`` in memory, with places for a test to do something between two calls.

    Attributes:
        objects: Content by key, for a test to look at.
        on_put: Called with the key after each write, as a trigger would be.
        before: Called with the call's name and its key or prefix before each call of the port.
        after: The same after each call that changes something. What a hook raises, the call raises.
    """

    def __init__(self, clock: Clock | None = None, on_put: Callable[[str], object] | None = None) -> None:
        self.objects: dict[str, bytes] = {}
        self.on_put = on_put
        self.before: Hook | None = None
        self.after: Hook | None = None
        self._clock = clock or FixedClock()
        self._heads: dict[str, ObjectHead] = {}
        self._folders: Counter[str] = Counter()  # how many objects lie in each folder at the top
        self._keys: list[str] = []  # sorted; code points are in the order of their UTF-8 bytes
        self._lock = threading.Lock()

    def copied(self) -> MemoryStore:
        """Another with the same objects, a clock that is as late, and no hooks."""
        copy = MemoryStore(FixedClock(self._clock.now()))
        copy.objects, copy._heads, copy._keys = dict(self.objects), dict(self._heads), list(self._keys)
        copy._folders = Counter(self._folders)
        return copy

    def keys(self, prefix: str = "") -> list[str]:
        """For tests: no call of the port."""
        begin = bisect_left(self._keys, prefix)
        return self._keys[begin : bisect_left(self._keys, prefix + _LAST, begin)]

    def put(self, key: str, content: bytes) -> None:
        self._change("put", key, content)

    def put_if_absent(self, key: str, content: bytes) -> bool:
        return self._change("create", key, content, if_absent=True)

    def open_writer(self, key: str, *, if_absent: bool = False) -> MemoryWriter:
        return MemoryWriter(lambda content: self._change("write", key, content, if_absent=if_absent))

    def get(self, key: str) -> bytes:
        self._call("get", key)
        return self._get(key)

    def read(self, key: str, *, etag: str | None = None) -> Iterator[bytes]:
        self._call("read", key)
        content = self._get(key)
        if etag is not None and etag != self._heads[key].etag:
            raise ObjectMissing(f"{key} is no longer {etag}")
        yield from self._chunks(key, content)

    def head(self, key: str) -> ObjectHead | None:
        self._call("head", key)
        return self._heads.get(key)

    def list(self, prefix: str, *, after: str = "") -> Iterator[ObjectHead]:
        self._call("list", prefix)
        for key in self.keys(prefix):
            if key > after and key in self._heads:  # others may act while the caller looks at the last one
                yield self._heads[key]

    def folders(self) -> frozenset[str]:
        self._call("look", "")
        return frozenset(self._folders)

    def delete(self, key: str) -> None:
        self._call("delete", key)
        self._remove(key)
        self._done("delete", key)

    def _remove(self, key: str) -> None:
        if self.objects.pop(key, None) is not None:
            del self._heads[key]
            del self._keys[bisect_left(self._keys, key)]
            self._count_in_folder(key, -1)

    def _count_in_folder(self, key: str, change: int) -> None:
        if "/" in key:
            folder = key[: key.index("/") + 1]
            self._folders[folder] += change
            if not self._folders[folder]:
                del self._folders[folder]

    def concatenate(self, key: str, sources: Sequence[str]) -> None:
        self._call("concatenate", key)
        self._write(key, b"".join(self._get(source) for source in sources), if_absent=False)
        self._done("concatenate", key)

    def _chunks(self, _key: str, content: bytes) -> Iterator[bytes]:
        for start in range(0, len(content), 256 * 1024):
            yield content[start : start + 256 * 1024]

    def _get(self, key: str) -> bytes:
        if key not in self.objects:
            raise ObjectMissing(key)
        return self.objects[key]

    def _call(self, what: str, key: str) -> None:
        if self.before:
            self.before(what, key)

    def _done(self, what: str, key: str) -> None:
        if self.after:
            self.after(what, key)

    def _change(self, what: str, key: str, content: bytes, *, if_absent: bool = False) -> bool:
        self._call(what, key)
        is_new = self._write(key, content, if_absent=if_absent)
        self._done(what, key)
        return is_new

    def _write(self, key: str, content: bytes, *, if_absent: bool) -> bool:
        with self._lock:
            if key not in self.objects:
                insort(self._keys, key)
                self._count_in_folder(key, 1)
            elif if_absent:
                return False
            self.objects[key] = content = bytes(content)
            self._heads[key] = ObjectHead(
                key, len(content), etag_of(content), self._clock.now(), crc64.xz(content)
            )
        if self.on_put:
            self.on_put(key)
        return True


class WatchedStore(MemoryStore):
    """Notes every key that is asked about (``reads``) or told to change (``writes``)."""

    def __init__(self, clock: Clock | None = None) -> None:
        super().__init__(clock)
        self.reads: list[str] = []
        self.writes: list[str] = []

    def forget(self) -> None:
        self.reads.clear()
        self.writes.clear()

    def _call(self, what: str, key: str) -> None:
        (self.reads if what in {"get", "read", "head", "list", "look"} else self.writes).append(key)
        super()._call(what, key)


class MemoryWriter:
    """``ObjectWriter`` that publishes through a function at ``commit``."""

    def __init__(self, publish: Callable[[bytes], bool]) -> None:
        self._publish = publish
        self._content = bytearray()

    @property
    def size_bytes(self) -> int:
        return len(self._content)

    def write(self, chunk: bytes) -> None:
        self._content += chunk

    def commit(self) -> bool:
        return self._publish(bytes(self._content))

    def __enter__(self) -> MemoryWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass


def etag_of(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest().upper()
