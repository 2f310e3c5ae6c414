"""Writes one OSS object through oss2: by one call, or as a multipart upload."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import oss2

from shared.ports.store import ObjectHead
from shared.stores.oss.errors import is_refused_overwrite, translated
from shared.stores.pieces.checksums import check_sent
from shared.stores.pieces.errors import ABOUT_VERSIONS

log = logging.getLogger(__name__)

PART_BYTES = 4 * 1024 * 1024  # 10,000 parts of it are 40 GB
FORBID_OVERWRITE = {"x-oss-forbid-overwrite": "true"}


class OssTarget:
    """``Target`` in an ``oss2.Bucket``."""

    def __init__(self, bucket: Any, key: str, *, if_absent: bool = False) -> None:
        self._bucket = bucket
        self._key = key
        self._headers = FORBID_OVERWRITE if if_absent else {}

    def put(self, content: bytes) -> bool:
        return published("PutObject", self._key, lambda: self._put(content))

    def begin(self) -> OssUpload:
        with translated("InitiateMultipartUpload", self._key):
            upload_id = str(self._bucket.init_multipart_upload(self._key).upload_id)
        return OssUpload(self._bucket, self._key, upload_id, self._headers)

    def _put(self, content: bytes) -> None:
        result = self._bucket.put_object(self._key, content, headers=self._headers)
        if self._headers:
            _warn_of_versions(result)
        check_sent(result.crc, content, self._key)


class OssUpload:
    """``Upload`` of an ``oss2.Bucket``."""

    def __init__(self, bucket: Any, key: str, upload_id: str, headers: dict[str, str]) -> None:
        self._bucket = bucket
        self._key = key
        self._upload_id = upload_id
        self._headers = headers
        self._parts: dict[int, Any] = {}

    def send(self, number: int, part: bytes) -> None:
        with translated("UploadPart", self._key):
            result = self._bucket.upload_part(self._key, self._upload_id, number, part)
        check_sent(result.crc, part, self._key)
        self._parts[number] = oss2.models.PartInfo(number, result.etag)

    def copy(self, number: int, source: ObjectHead, first: int, last: int) -> None:
        with translated("UploadPartCopy", source.key):
            result = self._bucket.upload_part_copy(
                self._bucket.bucket_name,
                source.key,
                (first, last),
                self._key,
                self._upload_id,
                number,
                headers={"x-oss-copy-source-if-match": f'"{source.etag}"'},
            )
        self._parts[number] = oss2.models.PartInfo(number, result.etag)

    def complete(self) -> bool:
        parts = [self._parts[number] for number in sorted(self._parts)]
        return published(
            "CompleteMultipartUpload",
            self._key,
            lambda: self._bucket.complete_multipart_upload(
                self._key, self._upload_id, parts, headers=self._headers
            ),
        )

    def abort(self) -> None:
        with translated("AbortMultipartUpload", self._key):
            self._bucket.abort_multipart_upload(self._key, self._upload_id)


def published(operation: str, key: str, publish: Callable[[], object]) -> bool:
    """Do it, and say whether it was done, or the key is taken."""
    with translated(operation, key, publishes=True):
        try:
            publish()
        except oss2.exceptions.ServerError as error:
            if is_refused_overwrite(error):
                return False
            raise
    return True


def _warn_of_versions(result: Any) -> None:
    """Say so if a bucket has versioning, which it answers with the version of what was written.

    It is on or suspended then, and OSS ignores ``x-oss-forbid-overwrite`` in both
    (https://help.aliyun.com/zh/oss/developer-reference/putobject).
    """
    if result.versionid is not None:
        log.error("bucket.versioned", extra={"reason": ABOUT_VERSIONS})
