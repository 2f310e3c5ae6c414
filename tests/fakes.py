"""In-memory stand-ins for the ports; they pass the same contract cases as the real adapters."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta, timezone
from types import TracebackType

from shared.domain.errors import ObjectMissing
from shared.ports import Clock, ObjectHead


class FixedClock:
    """Time that stands still until a test moves it."""

    def __init__(self, now: datetime = datetime(2026, 11, 21, 8, 0, tzinfo=timezone.utc)) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def advance(self, span: timedelta) -> None:
        self._now += span


class MemoryStore:
    """A bucket in a dictionary."""

    def __init__(self, clock: Clock | None = None, on_put: Callable[[str], None] | None = None) -> None:
        self._clock = clock or FixedClock()
        self._on_put = on_put
        self._objects: dict[str, tuple[bytes, datetime]] = {}

    def put(self, key: str, content: bytes) -> None:
        self._objects[key] = (bytes(content), self._clock.now())
        if self._on_put:
            self._on_put(key)

    def put_if_absent(self, key: str, content: bytes) -> bool:
        if key in self._objects:
            return False
        self.put(key, content)
        return True

    def open_writer(self, key: str, *, if_absent: bool = False) -> MemoryWriter:
        return MemoryWriter(self, key, if_absent=if_absent)

    def get(self, key: str) -> bytes:
        if key not in self._objects:
            raise ObjectMissing(key)
        return self._objects[key][0]

    def read(self, key: str, *, etag: str | None = None) -> Iterator[bytes]:
        content = self.get(key)
        if etag is not None and etag != _etag(content):
            raise ObjectMissing(key)
        return iter([content[start : start + 7919] for start in range(0, len(content), 7919)])

    def head(self, key: str) -> ObjectHead | None:
        if key not in self._objects:
            return None
        content, modified_at = self._objects[key]
        return ObjectHead(key, len(content), _etag(content), modified_at)

    def list(self, prefix: str) -> Iterator[ObjectHead]:
        keys = sorted((key for key in self._objects if key.startswith(prefix)), key=lambda key: key.encode())
        heads = [self.head(key) for key in keys]
        return iter([head for head in heads if head])

    def delete(self, key: str) -> None:
        self._objects.pop(key, None)

    def concatenate(self, key: str, sources: Sequence[str]) -> None:
        self.put(key, b"".join(self.get(source) for source in sources))


class MemoryWriter:
    """Collects chunks until ``commit``."""

    def __init__(self, store: MemoryStore, key: str, *, if_absent: bool) -> None:
        self._store = store
        self._key = key
        self._if_absent = if_absent
        self._content = bytearray()

    @property
    def size_bytes(self) -> int:
        return len(self._content)

    def write(self, chunk: bytes) -> None:
        self._content += chunk

    def commit(self) -> bool:
        if self._if_absent:
            return self._store.put_if_absent(self._key, bytes(self._content))
        self._store.put(self._key, bytes(self._content))
        return True

    def __enter__(self) -> MemoryWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._content.clear()


def _etag(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest().upper()
