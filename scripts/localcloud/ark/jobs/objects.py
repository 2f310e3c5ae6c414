"""How the local Ark reads and writes the objects of the local storage."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from scripts.localcloud.ark.jobs.job import Location
from scripts.localcloud.storage.content import Write, new_request_id, read_pieces
from scripts.localcloud.storage.refusals import Refusal
from scripts.localcloud.storage.storage import Storage


class Objects:
    """The buckets of one storage, which it is handed anew at every call."""

    def __init__(self, storage: Callable[[], Storage]) -> None:
        self._storage = storage

    def exists(self, place: Location) -> bool:
        try:
            _, stream = self._storage().open(place.bucket_name, place.object_key)
        except Refusal:
            return False
        stream.close()
        return True

    def fetch(self, place: Location, file: Path) -> bool:
        """Copy an object into a file, whole or not at all; false if there is none."""
        part = file.with_suffix(".part")
        try:
            _, stream = self._storage().open(place.bucket_name, place.object_key)
        except Refusal:
            return False
        with stream, part.open("wb") as copy:
            shutil.copyfileobj(stream, copy)
        part.replace(file)
        return True

    def write(self, place: Location, file: Path) -> None:
        storage = self._storage()
        write = Write(place.bucket_name, place.object_key, "ObjectCreated:PutObject", new_request_id())
        with storage.new_content() as content, file.open("rb") as stream:
            content.fill(read_pieces(stream))
            storage.publish(content, write)
