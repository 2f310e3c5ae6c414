"""Ports in memory, for tests of what uses them; the contract tests keep them honest."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta, timezone
from types import TracebackType

from shared.domain.errors import ObjectMissing
from shared.ports import Clock, ObjectHead

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


class MemoryStore:
    """``ObjectStore`` in a dictionary.

    Attributes:
        objects: Content by key, for a test to look at.
        on_put: Called with the key after each write, as a trigger would be.
    """

    def __init__(self, clock: Clock | None = None, on_put: Callable[[str], None] | None = None) -> None:
        self.objects: dict[str, bytes] = {}
        self.on_put = on_put
        self._clock = clock or FixedClock()
        self._modified_at: dict[str, datetime] = {}
        self._lock = threading.Lock()

    def put(self, key: str, content: bytes) -> None:
        self._write(key, content, if_absent=False)

    def put_if_absent(self, key: str, content: bytes) -> bool:
        return self._write(key, content, if_absent=True)

    def open_writer(self, key: str, *, if_absent: bool = False) -> MemoryWriter:
        return MemoryWriter(lambda content: self._write(key, content, if_absent=if_absent))

    def get(self, key: str) -> bytes:
        try:
            return self.objects[key]
        except KeyError as error:
            raise ObjectMissing(key) from error

    def read(self, key: str, *, etag: str | None = None) -> Iterator[bytes]:
        content = self.get(key)
        if etag is not None and etag != _etag(content):
            raise ObjectMissing(f"{key} is no longer {etag}")
        for start in range(0, len(content), 256 * 1024):
            yield content[start : start + 256 * 1024]

    def head(self, key: str) -> ObjectHead | None:
        content = self.objects.get(key)
        if content is None:
            return None
        return ObjectHead(key, len(content), _etag(content), self._modified_at[key])

    def list(self, prefix: str) -> Iterator[ObjectHead]:
        for key in sorted(self.objects, key=str.encode):
            if key.startswith(prefix) and (found := self.head(key)):
                yield found

    def delete(self, key: str) -> None:
        self.objects.pop(key, None)

    def concatenate(self, key: str, sources: Sequence[str]) -> None:
        self.put(key, b"".join(self.get(source) for source in sources))

    def _write(self, key: str, content: bytes, *, if_absent: bool) -> bool:
        with self._lock:
            if if_absent and key in self.objects:
                return False
            self.objects[key] = bytes(content)
            self._modified_at[key] = self._clock.now()
        if self.on_put:
            self.on_put(key)
        return True


class WatchedStore(MemoryStore):
    """Notes every key that it is asked about (``reads``) or told to change (``writes``), whether or not it changes."""

    def __init__(self, clock: Clock | None = None) -> None:
        super().__init__(clock)
        self.reads: list[str] = []
        self.writes: list[str] = []

    def forget(self) -> None:
        self.reads.clear()
        self.writes.clear()

    def get(self, key: str) -> bytes:
        self.reads.append(key)
        return super().get(key)

    def head(self, key: str) -> ObjectHead | None:
        self.reads.append(key)
        return super().head(key)

    def list(self, prefix: str) -> Iterator[ObjectHead]:
        self.reads.append(prefix)
        return super().list(prefix)

    def delete(self, key: str) -> None:
        self.writes.append(key)
        super().delete(key)

    def _write(self, key: str, content: bytes, *, if_absent: bool) -> bool:
        self.writes.append(key)
        return super()._write(key, content, if_absent=if_absent)


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


def _etag(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest().upper()
