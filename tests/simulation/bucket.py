"""The bucket: an object store in memory that fails as a real one does, tells its triggers, and watches its records."""

from __future__ import annotations

import hashlib
from bisect import bisect_left, insort
from collections.abc import Callable, Iterator, Sequence

from shared.domain.errors import ObjectMissing, TransientError
from shared.ports import ObjectHead
from tests.fakes import MemoryWriter
from tests.roles import DELETES, READS, WRITES
from tests.simulation.kernel import Kernel

# Records that are meant to be written again: marks of time, and the reports' record.
_REWRITTEN = (".done", "/dropped-again.json", "/rejection.json")

# What the template's roles allow each function, by the port's calls; tests/unit/test_template.py keeps them equal.
_ACTIONS = {
    "put": "put", "create": "put", "write": "put", "concatenate": "put", "delete": "delete",
    "get": "get", "read": "get", "head": "get", "list": "get",
}  # fmt: skip
_ROLES = {name: {"put": WRITES[name], "get": READS[name], "delete": DELETES[name]} for name in WRITES}


class Bucket:
    """An ``ObjectStore``; every method is one call of a port, or several.

    Attributes:
        overwritten: Records under jobs/ whose bytes were changed, which must never happen.
        forbidden: What a function did that its role in the template does not allow.
    """

    def __init__(self, kernel: Kernel, wrote: Callable[[str], None]) -> None:
        self._kernel = kernel
        self._wrote = wrote
        self._objects: dict[str, tuple[bytes, ObjectHead]] = {}
        self._keys: list[str] = []
        self.overwritten: list[str] = []
        self.forbidden: set[str] = set()

    # For checks, people and the board: no call of a port.

    def keys(self, prefix: str = "") -> list[str]:
        begin = bisect_left(self._keys, prefix)
        end = begin
        while end < len(self._keys) and self._keys[end].startswith(prefix):
            end += 1
        return self._keys[begin:end]

    def content(self, key: str) -> bytes | None:
        found = self._objects.get(key)
        return found[0] if found else None

    def drop(self, key: str, content: bytes) -> None:
        self._write(key, content, if_absent=False)

    # The port.

    def put(self, key: str, content: bytes) -> None:
        self._call("put", key)
        self._write(key, content, if_absent=False)
        self._fail_after("put", key)

    def put_if_absent(self, key: str, content: bytes) -> bool:
        self._call("create", key)
        is_new = self._write(key, content, if_absent=True)
        self._fail_after("create", key)
        return is_new

    def open_writer(self, key: str, *, if_absent: bool = False) -> MemoryWriter:
        def publish(content: bytes) -> bool:
            self._call("write", key)
            is_new = self._write(key, content, if_absent=if_absent)
            self._fail_after("write", key)
            return is_new

        return MemoryWriter(publish)

    def get(self, key: str) -> bytes:
        self._call("get", key)
        return self._get(key)

    def read(self, key: str, *, etag: str | None = None) -> Iterator[bytes]:
        self._call("read", key)
        content = self._get(key)
        if etag is not None and etag != self._objects[key][1].etag:
            raise ObjectMissing(f"{key} is no longer {etag}")
        middle = len(content) // 2
        yield content[:middle]
        if self._kernel.faults.strikes("read_breaks", key, self._kernel.now_s, likely=0.2):
            raise TransientError(f"{key}: the connection broke")
        yield content[middle:]

    def head(self, key: str) -> ObjectHead | None:
        self._call("head", key)
        return self._head(key)

    def list(self, prefix: str) -> Iterator[ObjectHead]:
        self._call("list", prefix)
        for key in self.keys(prefix):
            if key in self._objects:  # others may act while the caller looks at the last one
                yield self._objects[key][1]

    def delete(self, key: str) -> None:
        self._call("delete", key)
        if self._objects.pop(key, None):
            self._keys.remove(key)
        self._fail_after("delete", key)

    def concatenate(self, key: str, sources: Sequence[str]) -> None:
        self._call("concatenate", key)
        self._write(key, b"".join(self._get(source) for source in sources), if_absent=False)
        self._fail_after("concatenate", key)

    def _get(self, key: str) -> bytes:
        try:
            return self._objects[key][0]
        except KeyError as error:
            raise ObjectMissing(key) from error

    def _head(self, key: str) -> ObjectHead | None:
        found = self._objects.get(key)
        return found[1] if found else None

    def _call(self, what: str, key: str) -> None:
        self._kernel.call(f"{what} {key}")
        role = _ROLES.get(self._kernel.acting or "")
        if role and not any(key.startswith(prefix) for prefix in role[_ACTIONS[what]]):
            self.forbidden.add(f"{self._kernel.acting} may not {what} {key.split('/', maxsplit=1)[0]}/")
        if self._kernel.faults.strikes("store_fails", key, self._kernel.now_s, likely=0.2):
            raise TransientError(f"{what} {key}: 503")

    def _fail_after(self, what: str, key: str) -> None:
        if self._kernel.faults.strikes("store_fails_after", key, self._kernel.now_s, likely=0.2):
            raise TransientError(f"{what} {key}: no answer, but it was done")

    def _write(self, key: str, content: bytes, *, if_absent: bool) -> bool:
        standing = self._objects.get(key)
        if standing is None:
            insort(self._keys, key)
        elif if_absent:
            return False
        elif key.startswith("jobs/") and standing[0] != content and not key.endswith(_REWRITTEN):
            self.overwritten.append(key)
        self._objects[key] = bytes(content), ObjectHead(key, len(content), _etag(content), self._kernel.now())
        self._wrote(key)
        return True


def _etag(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest().upper()
