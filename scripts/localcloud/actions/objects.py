"""How services read and write the objects of a local storage."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from scripts.localcloud.storage.content import Write, new_request_id, read_pieces
from scripts.localcloud.storage.listing import list_page
from scripts.localcloud.storage.refusals import Refusal
from scripts.localcloud.storage.storage import Storage


class Objects:
    """The buckets of one storage, which it is handed anew at every call."""

    def __init__(self, storage: Callable[[], Storage]) -> None:
        self._storage = storage

    def exists(self, bucket: str, key: str) -> bool:
        try:
            _, stream = self._storage().open(bucket, key)
        except Refusal:
            return False
        stream.close()
        return True

    def fetch(self, bucket: str, key: str, file: Path) -> bool:
        """Copy an object into a file, whole or not at all; false if there is none."""
        part = file.with_name(f"{file.name}.part")
        try:
            _, stream = self._storage().open(bucket, key)
        except Refusal:
            return False
        with stream, part.open("wb") as copy:
            shutil.copyfileobj(stream, copy)
        part.replace(file)
        return True

    def write(self, bucket: str, key: str, file: Path) -> None:
        storage = self._storage()
        write = Write(bucket, key, "ObjectCreated:PutObject", new_request_id())
        with storage.new_content() as content, file.open("rb") as stream:
            content.fill(read_pieces(stream))
            storage.publish(content, write)

    def under(self, bucket: str, prefix: str) -> list[str]:
        """The keys that begin so, in the order of their bytes; none without the bucket."""
        storage = self._storage()
        keys: list[str] = []
        marker = ""
        while True:
            page = list_page(storage.index, bucket, prefix=prefix, delimiter="", marker=marker, max_keys=1000)
            keys += [row.key for row in page.objects]
            marker = page.next_marker
            if not marker:
                return keys
