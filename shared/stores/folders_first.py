"""Looks which folders hold anything before one of them is listed: one call in place of many."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from shared.ports.store import ObjectHead, ObjectStore, ObjectWriter


class FoldersFirst:
    """``ObjectStore`` for one run of the timer, which lists no folder that holds nothing.

    It looks once, with the first listing of a whole folder; if ``look`` then gives ``None``, any
    folder may hold something. What others put into an empty folder after that, the next run finds.
    All other calls are the store's own.
    """

    def __init__(self, store: ObjectStore, look: Callable[[], frozenset[str] | None]) -> None:
        self._store = store
        self._look = look
        self._has_looked = False
        self._folders: frozenset[str] | None = None
        self._put: set[str] = set()

    def put(self, key: str, content: bytes) -> None:
        self._note(key)
        self._store.put(key, content)

    def put_if_absent(self, key: str, content: bytes) -> bool:
        self._note(key)
        return self._store.put_if_absent(key, content)

    def open_writer(self, key: str, *, if_absent: bool = False) -> ObjectWriter:
        self._note(key)
        return self._store.open_writer(key, if_absent=if_absent)

    def get(self, key: str) -> bytes:
        return self._store.get(key)

    def read(self, key: str, *, etag: str | None = None) -> Iterator[bytes]:
        return self._store.read(key, etag=etag)

    def head(self, key: str) -> ObjectHead | None:
        return self._store.head(key)

    def list(self, prefix: str, *, after: str = "") -> Iterator[ObjectHead]:
        if self._is_folder(prefix) and not self._holds_any(prefix):
            return iter(())
        return self._store.list(prefix, after=after)

    def delete(self, key: str) -> None:
        self._store.delete(key)

    def concatenate(self, key: str, sources: Sequence[str]) -> None:
        self._note(key)
        self._store.concatenate(key, sources)

    def _note(self, key: str) -> None:
        # Before it is put: a call that is not answered may have been done.
        self._put.add(_folder_of(key))

    def _is_folder(self, prefix: str) -> bool:
        return prefix != "" and prefix == _folder_of(prefix)

    def _holds_any(self, folder: str) -> bool:
        if not self._has_looked:
            self._folders, self._has_looked = self._look(), True
        return self._folders is None or folder in self._folders or folder in self._put


def _folder_of(key: str) -> str:
    """With its slash; of an object at the top, nothing."""
    folder, slash, _ = key.partition("/")
    return folder + slash if slash else ""
