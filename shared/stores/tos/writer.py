"""Writes one TOS object through the ``tos`` SDK: by one call, or as a multipart upload."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tos.exceptions import TosServerError

from shared.ports.store import ObjectHead
from shared.problems.exceptions import OutcomeUnknown
from shared.stores.pieces.checksums import check_sent
from shared.stores.tos.errors import has_versions, is_passing, is_taken, translated

PART_BYTES = 5 * 1024 * 1024  # the SDK's own minimum; 10,000 parts of it are 50 GB
_MD5 = re.compile(r"[0-9A-F]{32}(-\d+)?")


@dataclass(frozen=True)
class TosTarget:
    """``Target`` in a bucket.

    Attributes:
        client: The SDK's.
        holds: Whether the key holds exactly this content, or with a size alone, that many bytes;
            ``None`` if there is no object.
    """

    client: Any
    bucket: str
    key: str
    if_absent: bool
    holds: Callable[[str, bytes | int], bool | None]

    def put(self, content: bytes) -> bool:
        return self.published("PutObject", lambda: self._put(content), content)

    def begin(self) -> TosUpload:
        with translated("CreateMultipartUpload", self.key):
            # Without the forbid header: by the port, it is ``complete`` that tells of a taken key.
            upload_id = str(self.client.create_multipart_upload(self.bucket, self.key).upload_id)
        return TosUpload(self, upload_id)

    def _put(self, content: bytes) -> Any:
        result = self.client.put_object(
            self.bucket, self.key, content=content, forbid_overwrite=self.if_absent or None
        )
        check_sent(result.hash_crc64_ecma, content, self.key)
        return result

    def published(self, operation: str, publish: Callable[[], Any], written: bytes | int) -> bool:
        """Do it, and say whether it was done, or the key is taken.

        Raises:
            ConfigurationError: The bucket has versions.
        """
        with translated(operation, self.key, publishes=True):
            try:
                result = publish()
            except TosServerError as error:
                if self.if_absent and self._is_taken(error, written):
                    return False
                raise
        if self.if_absent and result.version_id:
            raise has_versions(f"{operation} {self.key}")
        return True

    def _is_taken(self, error: TosServerError, written: bytes | int) -> bool:
        """The EC says it; any other 409 may mean that something is there, or on its way: look."""
        if is_taken(error) or error.status_code != 409:
            return is_taken(error)
        holds_ours = self.holds(self.key, written)
        if holds_ours and is_passing(error):
            raise OutcomeUnknown(f"{self.key}: 409 {error.code}, and the object is like ours") from error
        return holds_ours is not None


class TosUpload:
    """``Upload`` to a ``TosTarget``."""

    def __init__(self, target: TosTarget, upload_id: str) -> None:
        self._target = target
        self._where = (target.bucket, target.key, upload_id)
        self._parts: dict[int, Any] = {}
        self._size_bytes = 0

    def send(self, number: int, part: bytes) -> None:
        with translated("UploadPart", self._target.key):
            result = self._target.client.upload_part(*self._where, number, content=part)
        check_sent(result.hash_crc64_ecma, part, self._target.key)
        self._add(number, result, len(part))

    def copy(self, number: int, source: ObjectHead, first: int, last: int) -> None:
        with translated("UploadPartCopy", source.key):
            result = self._target.client.upload_part_copy(
                *self._where,
                number,
                self._target.bucket,
                source.key,
                copy_source_range_start=first,
                copy_source_range_end=last,
                copy_source_if_match=literal(source.etag),
            )
        self._add(number, result, last - first + 1)

    def complete(self) -> bool:
        parts = [self._parts[number] for number in sorted(self._parts)]
        return self._target.published(
            "CompleteMultipartUpload",
            lambda: self._target.client.complete_multipart_upload(
                *self._where, parts, forbid_overwrite=self._target.if_absent or None
            ),
            self._size_bytes,
        )

    def abort(self) -> None:
        with translated("AbortMultipartUpload", self._target.key):
            self._target.client.abort_multipart_upload(*self._where)

    def _add(self, number: int, result: Any, size_bytes: int) -> None:
        self._parts[number] = result
        self._size_bytes += size_bytes


def literal(etag: str) -> str | None:
    """An ETag as TOS writes it in ``If-Match``, which is compared by letter: MD5s in lower case.

    What is no MD5 is left out, since its case is not known.
    """
    return etag.lower() if _MD5.fullmatch(etag) else None
