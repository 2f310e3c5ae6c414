"""Writes one OSS object of any size in constant memory: a single put, or a multipart upload."""

from __future__ import annotations

import contextlib
import io
import logging
from types import TracebackType
from typing import Any

import oss2
from fastcrc import crc64

from shared.problems.exceptions import PipelineError, TransientError
from shared.stores.oss.errors import is_refused_overwrite, translated
from shared.stores.oss.part_sender import PartSender

log = logging.getLogger(__name__)

PART_BYTES = 4 * 1024 * 1024  # 10,000 parts of it are 40 GB
FORBID_OVERWRITE = {"x-oss-forbid-overwrite": "true"}
_ABOUT_VERSIONS = (
    "the bucket has, or had, versioning, with which OSS ignores create-if-absent: rows may be paid "
    "for twice, and erased data stays in old versions. Use a bucket that never had it"
)


class OssWriter:
    """``ObjectWriter`` that sends parts in the background; nothing is visible before ``commit``.

    It holds the part being filled and at most two on their way. If one could not be sent, a later
    ``write`` or ``commit`` raises. ``commit`` and leaving the ``with`` block end the thread.
    """

    def __init__(self, bucket: Any, key: str, *, if_absent: bool = False) -> None:
        self._bucket = bucket
        self._key = key
        self._headers = FORBID_OVERWRITE if if_absent else {}
        self._filling = io.BytesIO()
        self._upload_id: str | None = None
        self._parts: list[Any] = []
        self._sending = PartSender(self._send)
        self.size_bytes = 0

    def write(self, chunk: bytes) -> None:
        self.size_bytes += len(chunk)
        self._filling.write(chunk)
        if self._filling.tell() >= PART_BYTES:
            self._flush()

    def _flush(self) -> None:
        # ``getvalue`` hands over the buffer itself; nothing is copied if nobody writes to it again.
        part, self._filling = self._filling.getvalue(), io.BytesIO()
        if part:
            self._upload()
            self._parts.append(None)
            self._sending.put(len(self._parts), part)

    def copy_part(self, source_key: str, source_etag: str, first: int, last: int) -> None:
        """Append a range of another object as a part of its own, without reading it.

        What was written and not sent yet becomes a part, too: nothing, or at least 100 KB.

        Raises:
            ObjectMissing: The source is gone or is no longer this version.
        """
        self._flush()
        upload_id, number = self._upload(), len(self._parts) + 1
        with translated("UploadPartCopy", source_key):
            result = self._bucket.upload_part_copy(
                self._bucket.bucket_name,
                source_key,
                (first, last),
                self._key,
                upload_id,
                number,
                headers={"x-oss-copy-source-if-match": f'"{source_etag}"'},
            )
        self._parts.append(oss2.models.PartInfo(number, result.etag))
        self.size_bytes += last - first + 1

    def commit(self) -> bool:
        if self._upload_id is None:
            return self._publish("PutObject", self._put_whole)
        self._flush()
        self._sending.finish()
        return self._publish("CompleteMultipartUpload", self._complete)

    def __enter__(self) -> OssWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._sending.abandon()
        self._filling = io.BytesIO()
        if self._upload_id:
            # If aborting fails, the bucket's lifecycle rule does it; the caller's error counts.
            with contextlib.suppress(PipelineError), translated("AbortMultipartUpload", self._key):
                self._bucket.abort_multipart_upload(self._key, self._upload_id)

    def _publish(self, operation: str, publish: Any) -> bool:
        with translated(operation, self._key, publishes=True):
            try:
                publish()
            except oss2.exceptions.ServerError as error:
                if is_refused_overwrite(error):
                    return False
                raise
        return True

    def _put_whole(self) -> None:
        content = self._filling.getvalue()
        result = self._bucket.put_object(self._key, content, headers=self._headers)
        if self._headers:
            warn_of_versions(result)
        check_crc(result.crc, crc64.xz(content), self._key)

    def _complete(self) -> None:
        self._bucket.complete_multipart_upload(self._key, self._upload_id, self._parts, headers=self._headers)
        self._upload_id = None

    def _upload(self) -> str:
        if self._upload_id is None:
            with translated("InitiateMultipartUpload", self._key):
                self._upload_id = str(self._bucket.init_multipart_upload(self._key).upload_id)
        return self._upload_id

    def _send(self, number: int, part: bytes) -> None:
        with translated("UploadPart", self._key):
            result = self._bucket.upload_part(self._key, self._upload_id, number, part)
        check_crc(result.crc, crc64.xz(part), self._key)
        self._parts[number - 1] = oss2.models.PartInfo(number, result.etag)


def check_crc(told: int | None, computed: int, key: str) -> None:
    """Compare OSS's CRC64 with ours, if OSS sends one; for a few old objects it does not.

    Raises:
        TransientError: The bytes changed on their way.
    """
    if told is not None and told != computed:
        raise TransientError(f"{key}: the CRC64 differs, so bytes were changed on their way to or from OSS")


def warn_of_versions(result: Any) -> None:
    """Say so if a bucket has versioning, which it answers with the version of what was written.

    It is on or suspended then, and OSS ignores ``x-oss-forbid-overwrite`` in both
    (https://help.aliyun.com/zh/oss/developer-reference/putobject).
    """
    if result.versionid is not None:
        log.error("bucket.versioned", extra={"reason": _ABOUT_VERSIONS})
