"""Writes one OSS object of any size in constant memory: a single put, or a multipart upload."""

from __future__ import annotations

import contextlib
from types import TracebackType
from typing import Any

import oss2
from fastcrc import crc64

from shared.adapters.oss_errors import is_refused_overwrite, translated
from shared.domain.errors import PipelineError, TransientError

PART_BYTES = 8 * 1024 * 1024  # 10,000 parts of it are 80 GB
FORBID_OVERWRITE = {"x-oss-forbid-overwrite": "true"}


class OssWriter:
    """``ObjectWriter`` that keeps at most one part in memory; nothing is visible before ``commit``."""

    def __init__(self, bucket: Any, key: str, *, if_absent: bool = False) -> None:
        self._bucket = bucket
        self._key = key
        self._headers = FORBID_OVERWRITE if if_absent else {}
        self._buffer = bytearray()
        self._sent_bytes = 0
        self._upload_id: str | None = None
        self._parts: list[Any] = []

    @property
    def size_bytes(self) -> int:
        return self._sent_bytes + len(self._buffer)

    def write(self, chunk: bytes) -> None:
        self._buffer += chunk
        while len(self._buffer) >= PART_BYTES:
            self._send(bytes(memoryview(self._buffer)[:PART_BYTES]))
            del self._buffer[:PART_BYTES]

    def _flush(self) -> None:
        if self._buffer:
            self._send(bytes(self._buffer))
            self._buffer.clear()

    def copy_part(self, source_key: str, source_etag: str, first: int, last: int) -> None:
        """Append a range of another object of the bucket without reading it, as a part of its own.

        What was written and not sent yet becomes a part too: it must be nothing or at least 100 KB.

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
        self._sent_bytes += last - first + 1

    def commit(self) -> bool:
        if self._upload_id is None:
            return self._publish("PutObject", self._put_whole)
        self._flush()
        return self._publish("CompleteMultipartUpload", self._complete)

    def __enter__(self) -> OssWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._buffer.clear()
        if self._upload_id:
            # What cannot be aborted now is removed by the bucket's lifecycle rule; the caller's error counts.
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
        content = bytes(self._buffer)
        result = self._bucket.put_object(self._key, content, headers=self._headers)
        check_crc(result.crc, crc64.xz(content), self._key)

    def _complete(self) -> None:
        self._bucket.complete_multipart_upload(self._key, self._upload_id, self._parts, headers=self._headers)
        self._upload_id = None

    def _upload(self) -> str:
        if self._upload_id is None:
            with translated("InitiateMultipartUpload", self._key):
                self._upload_id = str(self._bucket.init_multipart_upload(self._key).upload_id)
        return self._upload_id

    def _send(self, part: bytes) -> None:
        upload_id, number = self._upload(), len(self._parts) + 1
        with translated("UploadPart", self._key):
            result = self._bucket.upload_part(self._key, upload_id, number, part)
        check_crc(result.crc, crc64.xz(part), self._key)
        self._parts.append(oss2.models.PartInfo(number, result.etag))
        self._sent_bytes += len(part)


def check_crc(told: int | None, computed: int, key: str) -> None:
    """Compare OSS's CRC64 with ours; OSS sends none for a few old objects, and then nothing can be said.

    Raises:
        TransientError: The bytes changed on their way.
    """
    if told is not None and told != computed:
        raise TransientError(f"{key}: the CRC64 differs, so bytes were changed on their way to or from OSS")
