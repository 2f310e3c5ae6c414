"""Multipart uploads: parts wait under their upload id for the completion or the abortion."""

from __future__ import annotations

import hashlib
import secrets
import shutil
from collections.abc import Sequence
from typing import NamedTuple

from scripts.localcloud.storage import refusals
from scripts.localcloud.storage.content import NewContent, Write
from scripts.localcloud.storage.object_files import check_key
from scripts.localcloud.storage.object_index import Part, StoredObject, Upload
from scripts.localcloud.storage.storage import Storage

MAX_PART_NUMBER = 10_000


class PartReference(NamedTuple):
    """One part that an upload is completed with; ``etag`` without quotes, upper case."""

    number: int
    etag: str


class Uploads:
    """The multipart uploads of one storage.

    All parts but the last have at least ``min_part_bytes``.
    """

    def __init__(self, storage: Storage, *, min_part_bytes: int) -> None:
        self._storage = storage
        self._min_part_bytes = min_part_bytes
        self._index = storage.index
        self._dir = storage.layout.uploads_dir
        self._remove_leftovers()

    def initiate(self, write: Write) -> Upload:
        check_key(write.key)
        upload = Upload(
            upload_id=secrets.token_hex(16).upper(),
            bucket=write.bucket,
            key=write.key,
            initiated_s=int(self._storage.now().timestamp()),
            content_type=write.content_type,
            headers=write.headers,
        )
        with self._storage.lock:
            self._storage.check_bucket(write.bucket)
            (self._dir / upload.upload_id).mkdir()
            self._index.save_upload(upload)
        self._storage.notify(write)
        return upload

    def get(self, bucket: str, key: str, upload_id: str) -> Upload:
        with self._storage.lock:
            self._storage.check_bucket(bucket)
            upload = self._index.find_upload(upload_id)
        if upload is None or (upload.bucket, upload.key) != (bucket, key):
            raise refusals.no_such_upload()
        return upload

    def uploads(self, bucket: str, prefix: str) -> list[Upload]:
        with self._storage.lock:
            self._storage.check_bucket(bucket)
            return self._index.uploads(bucket, prefix)

    def parts(self, upload: Upload) -> list[Part]:
        with self._storage.lock:
            return self._index.parts(upload.upload_id)

    def put_part(self, upload: Upload, number: int, content: NewContent, write: Write) -> Part:
        """Keep a part, in place of an earlier one of the same number."""
        # A new name each time: the row and its bytes change together, in one transaction.
        place = self._dir / upload.upload_id / f"{number}-{secrets.token_hex(4)}"
        part = Part(
            upload_id=upload.upload_id,
            number=number,
            file=place.relative_to(self._storage.layout.data_dir).as_posix(),
            size_bytes=content.digest.size_bytes,
            modified_s=int(self._storage.now().timestamp()),
            etag=content.digest.etag(),
            crc64=content.digest.crc64,
        )
        with self._storage.lock:
            # It may have ended while the part came in.
            self.get(upload.bucket, upload.key, upload.upload_id)
            replaced = [old for old in self._index.parts(upload.upload_id) if old.number == number]
            content.move_to(place)
            self._index.save_part(part)
        for old in replaced:
            (self._storage.layout.data_dir / old.file).unlink(missing_ok=True)
        self._storage.notify(write, part.size_bytes)
        return part

    def complete(self, upload: Upload, references: Sequence[PartReference], write: Write) -> StoredObject:
        """Join the parts into the object; a concurrent completion or abortion loses."""
        parts = self._chosen_parts(upload, references)

        def end_upload(_: StoredObject | None) -> None:
            if self._index.find_upload(upload.upload_id) is None:
                raise refusals.no_such_upload()
            self._index.remove_upload(upload.upload_id)

        with self._storage.new_content(with_md5=False) as content:
            self._join(parts, content)
            row = self._storage.publish(content, write, end_upload)
        shutil.rmtree(self._dir / upload.upload_id, ignore_errors=True)
        return row

    def abort(self, upload: Upload, write: Write) -> None:
        with self._storage.lock:
            self._index.remove_upload(upload.upload_id)
            shutil.rmtree(self._dir / upload.upload_id, ignore_errors=True)
        self._storage.notify(write)

    def _chosen_parts(self, upload: Upload, references: Sequence[PartReference]) -> list[Part]:
        numbers = [reference.number for reference in references]
        if not numbers:
            raise refusals.malformed_document()
        if numbers != sorted(set(numbers)):
            raise refusals.invalid_part_order()
        present = {part.number: part for part in self.parts(upload)}
        if any(number not in present or present[number].etag != etag for number, etag in references):
            raise refusals.invalid_part()
        chosen = [present[number] for number in numbers]
        if any(part.size_bytes < self._min_part_bytes for part in chosen[:-1]):
            raise refusals.entity_too_small()
        return chosen

    def _join(self, parts: Sequence[Part], content: NewContent) -> None:
        try:
            for part in parts:
                content.append(self._storage.layout.data_dir / part.file, part.crc64)
        except FileNotFoundError as error:  # aborted or replaced meanwhile
            raise refusals.no_such_upload() from error

    def _remove_leftovers(self) -> None:
        """Delete what a killed process left of uploads that have ended."""
        for folder in self._dir.iterdir():
            if self._index.find_upload(folder.name) is None:
                shutil.rmtree(folder, ignore_errors=True)


def etag_of_parts(references: Sequence[PartReference]) -> str:
    """A multipart object's ETag: an MD5 of the parts' MD5s, and their number."""
    digest = hashlib.md5(usedforsecurity=False)
    for reference in references:
        digest.update(bytes.fromhex(reference.etag))
    return f"{digest.hexdigest().upper()}-{len(references)}"
