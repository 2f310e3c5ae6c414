"""The SQLite index: all about objects, uploads and parts but the bytes, and undelivered events."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from scripts.localcloud.storage.index_file import open_index_file
from scripts.localcloud.storage.object_events import ObjectEvent, parse_stored_event, render_stored_event


class Fingerprint(NamedTuple):
    """What tells one state of a file from another without reading it."""

    file: str
    size_bytes: int
    mtime_ns: int


@dataclass(frozen=True)
class StoredObject:
    """One row of the index.

    Attributes:
        file: Relative to the data directory, with ``/``.
        mtime_ns: The file's, so that a change made by hand is seen.
        modified_s: When the object was written, in whole epoch seconds, as the service tells it.
        crc64: CRC-64/XZ of the whole object.
    """

    bucket: str
    key: str
    file: str
    size_bytes: int
    mtime_ns: int
    modified_s: int
    etag: str
    crc64: int
    object_type: str
    content_type: str
    headers: Mapping[str, str]

    @property
    def fingerprint(self) -> Fingerprint:
        return Fingerprint(self.file, self.size_bytes, self.mtime_ns)


@dataclass(frozen=True)
class Upload:
    """A multipart upload that is neither completed nor aborted."""

    upload_id: str
    bucket: str
    key: str
    initiated_s: int
    content_type: str
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Part:
    """One part of an upload; ``file`` is relative to the data directory."""

    upload_id: str
    number: int
    file: str
    size_bytes: int
    modified_s: int
    etag: str
    crc64: int


class Index:
    """Typed access to the tables. Not thread-safe: the storage holds its lock around every call."""

    def __init__(self, file: Path) -> None:
        self._connection = open_index_file(file)

    def close(self) -> None:
        self._connection.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All changes inside become visible together; after an error or a kill, none does."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:  # Ctrl-C and a full disk, too: the next transaction could not begin
            if self._connection.in_transaction:  # SQLite may have ended it
                self._connection.execute("ROLLBACK")
            raise

    def find_object(self, bucket: str, key: str) -> StoredObject | None:
        rows = self._connection.execute(
            "SELECT * FROM objects WHERE bucket = ? AND key = ?", (bucket, key.encode())
        )
        return next(map(_stored_object, rows), None)

    def objects(
        self, bucket: str, start: bytes = b"", *, inclusive: bool = True, limit: int = -1
    ) -> list[StoredObject]:
        """Objects from ``start`` on, in the order of their keys' UTF-8 bytes."""
        query = "SELECT * FROM objects WHERE bucket = ? AND key > ? ORDER BY key LIMIT ?"
        if inclusive:
            query = query.replace(">", ">=")
        return list(map(_stored_object, self._connection.execute(query, (bucket, start, limit))))

    def totals(self, bucket: str, header: str, default: str) -> dict[str, tuple[int, int]]:
        """How many objects a bucket has and their size in bytes, by the value of a kept header."""
        query = """
            SELECT COALESCE(json_extract(user_meta, ?), ?) AS value,
            COUNT(*), SUM(size_bytes) FROM objects WHERE bucket = ? GROUP BY value"""
        rows = self._connection.execute(query, (f'$."{header}"', default, bucket))
        return {name: (count, size_bytes) for name, count, size_bytes in rows}

    def bucket_properties(self, bucket: str) -> dict[str, str]:
        query = "SELECT properties FROM buckets WHERE bucket = ?"
        return next((dict(json.loads(text)) for (text,) in self._connection.execute(query, (bucket,))), {})

    def save_bucket(self, bucket: str, properties: Mapping[str, str]) -> None:
        values = (bucket, json.dumps(properties))
        self._connection.execute("INSERT OR REPLACE INTO buckets VALUES (?, ?)", values)

    def remove_bucket(self, bucket: str) -> None:
        self._connection.execute("DELETE FROM buckets WHERE bucket = ?", (bucket,))

    def fingerprints(self, bucket: str) -> dict[str, Fingerprint]:
        """How every object's file should look, by key."""
        query = "SELECT key, file, size_bytes, mtime_ns FROM objects WHERE bucket = ?"
        rows = self._connection.execute(query, (bucket,))
        return {key.decode(): Fingerprint(*state) for key, *state in rows}

    def save_object(self, row: StoredObject) -> None:
        self._connection.execute(
            "INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                row.bucket,
                row.key.encode(),
                row.file,
                row.size_bytes,
                row.mtime_ns,
                row.modified_s,
                row.etag,
                str(row.crc64),  # SQLite's integers are signed
                row.object_type,
                row.content_type,
                json.dumps(dict(row.headers)),
            ),
        )

    def remove_object(self, bucket: str, key: str) -> None:
        self._connection.execute("DELETE FROM objects WHERE bucket = ? AND key = ?", (bucket, key.encode()))

    def find_upload(self, upload_id: str) -> Upload | None:
        rows = self._connection.execute("SELECT * FROM uploads WHERE upload_id = ?", (upload_id,))
        return next(map(_upload, rows), None)

    def uploads(self, bucket: str, prefix: str = "") -> list[Upload]:
        """Uploads in the order of key and id."""
        query = "SELECT * FROM uploads WHERE bucket = ? ORDER BY key, upload_id"
        found = map(_upload, self._connection.execute(query, (bucket,)))
        return [upload for upload in found if upload.key.startswith(prefix)]

    def save_upload(self, row: Upload) -> None:
        self._connection.execute(
            "INSERT INTO uploads VALUES (?, ?, ?, ?, ?, ?)",
            (
                row.upload_id,
                row.bucket,
                row.key.encode(),
                row.initiated_s,
                row.content_type,
                json.dumps(dict(row.headers)),
            ),
        )

    def remove_upload(self, upload_id: str) -> None:
        self._connection.execute("DELETE FROM uploads WHERE upload_id = ?", (upload_id,))

    def parts(self, upload_id: str) -> list[Part]:
        query = "SELECT * FROM parts WHERE upload_id = ? ORDER BY number"
        rows = self._connection.execute(query, (upload_id,))
        return [_part(row) for row in rows]

    def save_part(self, row: Part) -> None:
        self._connection.execute(
            "INSERT OR REPLACE INTO parts VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                row.upload_id,
                row.number,
                row.file,
                row.size_bytes,
                row.modified_s,
                row.etag,
                str(row.crc64),
            ),
        )

    def save_event(self, event: ObjectEvent) -> int:
        """Keep an event until it is delivered; returns its number."""
        cursor = self._connection.execute(
            "INSERT INTO undelivered (event) VALUES (?)", (render_stored_event(event),)
        )
        return cursor.lastrowid or 0

    def undelivered_events(self) -> list[tuple[int, ObjectEvent]]:
        rows = self._connection.execute("SELECT id, event FROM undelivered ORDER BY id")
        return [(number, parse_stored_event(text)) for number, text in rows]

    def remove_event(self, number: int) -> None:
        self._connection.execute("DELETE FROM undelivered WHERE id = ?", (number,))


# A listing makes thousands of these: the columns stand in the order of the fields.
def _stored_object(row: tuple[Any, ...]) -> StoredObject:
    bucket, key, file, size_bytes, mtime_ns, modified_s, etag, crc64, object_type, content_type, headers = row
    return StoredObject(
        bucket,
        key.decode(),
        file,
        size_bytes,
        mtime_ns,
        modified_s,
        etag,
        int(crc64),
        object_type,
        content_type,
        json.loads(headers) if headers != "{}" else {},
    )


def _part(row: tuple[Any, ...]) -> Part:
    upload_id, number, file, size_bytes, modified_s, etag, crc64 = row
    return Part(upload_id, number, file, size_bytes, modified_s, etag, int(crc64))


def _upload(row: tuple[Any, ...]) -> Upload:
    upload_id, bucket, key, initiated_s, content_type, headers = row
    return Upload(upload_id, bucket, key.decode(), initiated_s, content_type, json.loads(headers))
