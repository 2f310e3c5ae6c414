"""Reads and writes the objects of one OSS bucket through oss2."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

import oss2

from shared.ports.store import ObjectHead, ObjectWriter
from shared.problems.exceptions import ConfigurationError, ObjectMissing
from shared.stores.oss.errors import translated
from shared.stores.oss.writer import PART_BYTES, OssTarget
from shared.stores.pieces.checksums import CheckedBody, check_crc
from shared.stores.pieces.concatenation import PartBounds, PartPlan, join
from shared.stores.pieces.errors import CONNECT_TIMEOUT_S, READ_TIMEOUT_S
from shared.stores.pieces.writer import PieceWriter

BOUNDS = PartBounds(
    # https://help.aliyun.com/en/oss/user-guide/multipart-upload
    min_part_bytes=100 * 1024,
    # Sources above 1 GB are copied by ranges:
    # https://help.aliyun.com/en/oss/developer-reference/uploadpartcopy
    max_copy_bytes=1024**3,
    buffer_bytes=PART_BYTES,
)


def open_oss_store(
    endpoint: str,
    region: str,
    bucket: str,
    *,
    access_key_id: str,
    access_key_secret: str,
    security_token: str | None,
) -> OssStore:
    """A store over one bucket, with signature V4; makes no request yet.

    Args:
        endpoint: ``https://oss-cn-beijing-internal.aliyuncs.com``; an IP address means path style.
        region: ``cn-beijing``, without ``oss-``.
        bucket: Its name.
        access_key_id: May get, put, list, copy and delete objects, and abort uploads.
        access_key_secret: That key's.
        security_token: With temporary credentials, such as Function Compute's.

    Raises:
        ConfigurationError: The endpoint or the bucket's name is malformed.
    """
    return OssStore(
        open_oss_bucket(
            endpoint,
            region,
            bucket,
            access_key_id=access_key_id,
            access_key_secret=access_key_secret,
            security_token=security_token,
        )
    )


def open_oss_bucket(
    endpoint: str,
    region: str,
    bucket: str,
    *,
    access_key_id: str,
    access_key_secret: str,
    security_token: str | None,
) -> Any:
    """What ``open_oss_store`` opens, as oss2 calls it: an ``oss2.Bucket``."""
    # At DEBUG, oss2 logs the headers of every request, including the security token.
    logging.getLogger("oss2").setLevel(logging.WARNING)
    credentials = oss2.StaticCredentialsProvider(access_key_id, access_key_secret, security_token)
    with translated("open", bucket):
        return oss2.Bucket(
            oss2.ProviderAuthV4(credentials),
            endpoint,
            bucket,
            region=region,
            connect_timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S),
            # oss2's own check does 12 MB/s where crcmod has no C extension; fastcrc runs at memory
            # speed.
            enable_crc=False,
        )


class OssStore:
    """``ObjectStore`` over an ``oss2.Bucket``.

    Versioning must be off: a bucket with versioning ignores create-if-absent. If it is on, each
    such write logs ``bucket.versioned`` as an error; people ask ``is_versioned``.
    """

    def __init__(self, bucket: Any) -> None:
        self._bucket = bucket

    def put(self, key: str, content: bytes) -> None:
        OssTarget(self._bucket, key).put(content)

    def put_if_absent(self, key: str, content: bytes) -> bool:
        return OssTarget(self._bucket, key, if_absent=True).put(content)

    def open_writer(self, key: str, *, if_absent: bool = False) -> ObjectWriter:
        return PieceWriter(OssTarget(self._bucket, key, if_absent=if_absent), PART_BYTES)

    def get(self, key: str) -> bytes:
        return b"".join(self.read(key))

    def read(self, key: str, *, etag: str | None = None) -> Iterator[bytes]:
        with translated("GetObject", key):
            result = self._open(key, etag)
            checked = CheckedBody(result.read, result.content_length)
            with contextlib.closing(result):
                yield from checked.chunks()
            check_crc(result.server_crc, checked.checksum, key)

    def head(self, key: str) -> ObjectHead | None:
        try:
            with translated("HeadObject", key):
                result = self._bucket.head_object(key)
        except ObjectMissing:
            return None
        head = _head(key, result.content_length, result.etag, result.last_modified)
        return replace(head, crc64=result.server_crc)

    def list(self, prefix: str, *, after: str = "") -> Iterator[ObjectHead]:
        token = ""
        while True:
            with translated("ListObjectsV2", prefix):
                page = self._bucket.list_objects_v2(
                    prefix, start_after=after, continuation_token=token, max_keys=1000
                )
            for entry in page.object_list:
                yield _head(entry.key, entry.size, entry.etag, entry.last_modified)
            if not page.is_truncated:
                return
            token = page.next_continuation_token

    def folders(self) -> frozenset[str] | None:
        """The first parts of all keys, with their slash; ``None`` if one call does not tell all.

        So it is in a bucket with more than 1,000 names at its top, none of which we put there.
        """
        with translated("ListObjectsV2", "/"):
            page = self._bucket.list_objects_v2(delimiter="/", max_keys=1000)
        return None if page.is_truncated else frozenset(page.prefix_list)

    def delete(self, key: str) -> None:
        with translated("DeleteObject", key, publishes=True):
            self._bucket.delete_object(key)

    def concatenate(self, key: str, sources: Sequence[str]) -> None:
        writer = PieceWriter(OssTarget(self._bucket, key), PART_BYTES)
        join(self, sources, writer, BOUNDS, self._range)

    def is_versioned(self) -> bool:
        """Whether the bucket has, or had, versioning; false, too, if the key may not ask."""
        try:
            with translated("GetBucketVersioning", self._bucket.bucket_name):
                return self._bucket.get_bucket_versioning().status is not None
        except ConfigurationError:
            return False

    def _open(self, key: str, etag: str | None, byte_range: tuple[int, int] | None = None) -> Any:
        """The bytes as they are stored, for which OSS gives length and CRC."""
        result = self._bucket.get_object(key, byte_range=byte_range, headers=_if_match(etag))
        # urllib3 unpacks all that is marked as packed, even a piece of it; neither oss2 nor
        # requests has a switch for it.
        result.resp.response.raw.headers.pop("Content-Encoding", None)
        return result

    def _range(self, step: PartPlan) -> bytes:
        with translated("GetObject", step.source.key):
            result = self._open(step.source.key, step.source.etag, (step.first, step.last))
            try:
                content: bytes = result.read()
            finally:
                result.close()
        return content


def _head(key: str, size_bytes: int, etag: str, modified_s: int) -> ObjectHead:
    modified_at = datetime.fromtimestamp(modified_s, tz=timezone.utc)
    return ObjectHead(key=key, size_bytes=size_bytes, etag=etag.strip('"').upper(), modified_at=modified_at)


def _if_match(etag: str | None) -> dict[str, str]:
    return {"If-Match": f'"{etag}"'} if etag else {}
