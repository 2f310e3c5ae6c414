"""The buckets and objects of the local OSS: files in a directory, described by the index."""

from __future__ import annotations

import dataclasses
import os
import shutil
import threading
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import BinaryIO

from scripts.localcloud.storage import refusals
from scripts.localcloud.storage.content import Digest, NewContent, Write
from scripts.localcloud.storage.object_events import ObjectEvent
from scripts.localcloud.storage.object_files import Layout, check_bucket_name, check_key
from scripts.localcloud.storage.object_index import Index, StoredObject


def utc_now() -> datetime:
    return datetime.now(timezone.utc)


class Storage:
    """Every method may be called from any thread; one lock covers each rename with its commit.

    One rename inside an index transaction publishes an object and stores its event. So a killed
    process leaves the old object or the new one, and the next start tells what it did not tell.
    """

    def __init__(
        self,
        data_dir: Path,
        region: str,
        on_event: Callable[[ObjectEvent], None],
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        data_dir.mkdir(parents=True, exist_ok=True)
        self.layout = Layout(data_dir.resolve())
        self.region = region
        self.now = now
        self.lock = threading.RLock()
        self._on_event = on_event
        shutil.rmtree(self.layout.temporary_dir, ignore_errors=True)
        for folder in (self.layout.temporary_dir, self.layout.uploads_dir):
            folder.mkdir(parents=True, exist_ok=True)
        self.index = Index(self.layout.index_file)

    def close(self) -> None:
        with self.lock:
            self.index.close()

    def create_bucket(self, bucket: str) -> None:
        check_bucket_name(bucket)
        self.layout.bucket_dir(bucket).mkdir(exist_ok=True)

    def buckets(self) -> list[str]:
        return self.layout.buckets()

    def check_bucket(self, bucket: str) -> None:
        check_bucket_name(bucket)
        if not self.layout.bucket_dir(bucket).is_dir():
            raise refusals.no_such_bucket()

    def delete_bucket(self, bucket: str) -> None:
        with self.lock:
            self.check_bucket(bucket)
            if self.index.objects(bucket, limit=1) or self.index.uploads(bucket):
                raise refusals.bucket_not_empty()
            try:
                for folder, _, _ in os.walk(self.layout.bucket_dir(bucket), topdown=False):
                    Path(folder).rmdir()
            except OSError as error:  # a file that is no object (yet) lies there
                raise refusals.bucket_not_empty() from error
            self.index.remove_bucket(bucket)

    def new_content(self, *, with_md5: bool = True) -> NewContent:
        return NewContent(self.layout.temporary_dir, with_md5=with_md5)

    def publish(
        self, content: NewContent, write: Write, guard: Callable[[StoredObject | None], None] = lambda _: None
    ) -> StoredObject:
        """Make ``content`` the object, whole and at once; ``guard`` as in ``commit``."""

        def move(existing: StoredObject | None) -> tuple[Path, int]:
            place = self.layout.place_for(write.bucket, write.key)
            # A file that a person has just copied there is not in the index yet, but it is there.
            if write.forbid_overwrite and (existing or place.exists()):
                raise refusals.file_already_exists()
            return place, content.move_to(place)

        return self.commit(write, content.digest, guard, move)

    def commit(
        self,
        write: Write,
        digest: Digest,
        guard: Callable[[StoredObject | None], None],
        move: Callable[[StoredObject | None], tuple[Path, int]],
    ) -> StoredObject:
        """Put a file and its row in place and tell of it; the arguments are those of ``record``."""
        row, number, event = self.record(write, digest, guard, move)
        self.deliver(number, event)
        return row

    def record(
        self,
        write: Write,
        digest: Digest,
        guard: Callable[[StoredObject | None], None],
        move: Callable[[StoredObject | None], tuple[Path, int]],
    ) -> tuple[StoredObject, int, ObjectEvent]:
        """Put a file and its row in place; return also the event and its number.

        The caller must deliver the event.

        Args:
            write: What the file becomes.
            digest: Of the file's bytes.
            guard: Sees the replaced object inside the transaction; raises to change nothing.
            move: Puts the file in place and returns where it is, with its modification time.
        """
        check_key(write.key)
        with self.lock:
            self.check_bucket(write.bucket)
            with self.index.transaction():
                existing = self.index.find_object(write.bucket, write.key)
                guard(existing)
                file, mtime_ns = move(existing)
                row = self._row(write, digest, file, mtime_ns)
                event = self._event(write.event_name, write.request_id, row, existing)
                self.index.save_object(row)
                number = self.index.save_event(event)
            if existing and existing.file != row.file:
                self.layout.remove(write.bucket, self.layout.data_dir / existing.file)
        return row, number, event

    def check_overwrite(self, write: Write) -> None:
        """Refuse before the body what ``publish`` refuses after it: that the key is taken."""
        if write.forbid_overwrite:
            with self.lock:
                if self.index.find_object(write.bucket, write.key):
                    raise refusals.file_already_exists()

    def open(self, bucket: str, key: str) -> tuple[StoredObject, BinaryIO]:
        """An object and its bytes, readable even if the object is replaced or deleted meanwhile."""
        with self.lock:
            self.check_bucket(bucket)
            row = self.index.find_object(bucket, key)
            if row is None:
                raise refusals.no_such_key()
            try:
                stream = (self.layout.data_dir / row.file).open("rb")
            except OSError as error:  # deleted by hand since the last scan
                raise refusals.no_such_key() from error
        status = os.fstat(stream.fileno())
        if (status.st_size, status.st_mtime_ns) != (row.size_bytes, row.mtime_ns):
            stream.close()
            raise refusals.busy("The file was changed by hand and is not indexed yet. Please try again.")
        return row, stream

    def delete(
        self,
        bucket: str,
        key: str,
        event_name: str,
        request_id: str,
        guard: Callable[[StoredObject], None] = lambda _: None,
    ) -> None:
        """Remove an object; deleting nothing is no error and no event."""
        check_key(key)
        with self.lock:
            self.check_bucket(bucket)
            existing = self.index.find_object(bucket, key)
            if existing is None:
                return
            guard(existing)
            event = self._event(event_name, request_id, dataclasses.replace(existing, size_bytes=0), existing)
            with self.index.transaction():
                self.index.remove_object(bucket, key)
                number = self.index.save_event(event)
                self.layout.remove(bucket, self.layout.data_dir / existing.file)
        self.deliver(number, event)

    def notify(self, write: Write, size_bytes: int = 0) -> None:
        """Tell of something that changed no object: an upload was started, a part arrived."""
        self._on_event(
            ObjectEvent(
                event_name=write.event_name,
                bucket=write.bucket,
                key=write.key,
                etag=write.etag or "",
                size_bytes=size_bytes,
                request_id=write.request_id,
                event_time=self.now(),
                region=self.region,
                content_type=write.content_type,
                user_meta=write.headers,
            )
        )

    def deliver_pending(self) -> None:
        """Tell again what a killed process may not have told."""
        with self.lock:
            pending = self.index.undelivered_events()
        for number, event in pending:
            self.deliver(number, event)

    def deliver(self, number: int, event: ObjectEvent) -> None:
        """Tell of a recorded change; an event that is never delivered is told at the next start."""
        self._on_event(event)
        with self.lock:
            self.index.remove_event(number)

    def _row(self, write: Write, digest: Digest, file: Path, mtime_ns: int) -> StoredObject:
        return StoredObject(
            bucket=write.bucket,
            key=write.key,
            file=file.relative_to(self.layout.data_dir).as_posix(),
            size_bytes=digest.size_bytes,
            mtime_ns=mtime_ns,
            modified_s=int(self.now().timestamp()),
            etag=write.etag or digest.etag(),
            crc64=digest.crc64,
            object_type=write.object_type,
            content_type=write.content_type,
            headers=write.headers,
        )

    def _event(
        self, event_name: str, request_id: str, row: StoredObject, existing: StoredObject | None
    ) -> ObjectEvent:
        return ObjectEvent(
            event_name=event_name,
            bucket=row.bucket,
            key=row.key,
            etag=row.etag,
            size_bytes=row.size_bytes,
            request_id=request_id,
            event_time=self.now(),
            region=self.region,
            delta_bytes=row.size_bytes - (existing.size_bytes if existing else 0),
            content_type=row.content_type,
            user_meta=row.headers,
        )
