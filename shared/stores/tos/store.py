"""Reads and writes the objects of one TOS bucket through the ``tos`` SDK."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any
from urllib.parse import unquote

from tos.exceptions import TosServerError

from shared.ports.store import ObjectHead, ObjectWriter
from shared.problems.exceptions import ConfigurationError, ObjectMissing
from shared.stores.pieces.checksums import CheckedBody, check_crc
from shared.stores.pieces.concatenation import PartBounds, PartPlan, join
from shared.stores.pieces.writer import PieceWriter
from shared.stores.tos.client import open_client
from shared.stores.tos.errors import has_versions, translated
from shared.stores.tos.writer import PART_BYTES, TosTarget, literal

log = logging.getLogger(__name__)

BOUNDS = PartBounds(
    # The SDK's; https://www.volcengine.com/docs/6349/74866 says 4 MB.
    min_part_bytes=PART_BYTES,
    # 5 GB would be allowed, but no call should take minutes.
    max_copy_bytes=1024**3,
    buffer_bytes=PART_BYTES,
)
_VERSIONED = frozenset({"Enabled", "Suspended"})


def open_tos_store(
    endpoint: str,
    region: str,
    bucket: str,
    *,
    access_key_id: str,
    secret_access_key: str,
    security_token: str | None = None,
    proxy: str | None = None,
) -> TosStore:
    """A store over one bucket; makes no request yet.

    Args:
        endpoint: ``tos-cn-beijing.volces.com``, inside the cloud ``tos-cn-beijing.ivolces.com``;
            HTTPS if it does not say otherwise.
        region: ``cn-beijing``.
        bucket: Its name.
        access_key_id: May get, put, list, copy and delete objects, abort uploads, and ask whether
            the bucket has versions.
        secret_access_key: That key's.
        security_token: With temporary credentials.
        proxy: ``host:port`` of a local TOS, which is then spoken to in plain HTTP.

    Raises:
        ConfigurationError: The endpoint, the bucket's name or the proxy is malformed.
    """
    client = open_client(
        endpoint,
        region,
        bucket,
        access_key_id=access_key_id,
        secret_access_key=secret_access_key,
        security_token=security_token,
        proxy=proxy,
    )
    return TosStore(client, bucket)


class TosStore:
    """``ObjectStore`` over a ``tos.TosClientV2``.

    A bucket that has, or had, versioning is refused by the first write: it is asked once. No page
    says whether TOS then keeps create-if-absent. A key without the right to ask goes on; then the
    first write if absent that is answered with a version is refused, after the fact.
    """

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket
        self._is_checked = False

    def put(self, key: str, content: bytes) -> None:
        self._target(key).put(content)

    def put_if_absent(self, key: str, content: bytes) -> bool:
        return self._target(key, if_absent=True).put(content)

    def open_writer(self, key: str, *, if_absent: bool = False) -> ObjectWriter:
        return PieceWriter(self._target(key, if_absent=if_absent), PART_BYTES)

    def get(self, key: str) -> bytes:
        return b"".join(self.read(key))

    def read(self, key: str, *, etag: str | None = None) -> Iterator[bytes]:
        with translated("GetObject", key), self._opened(key, etag) as result:
            checked = CheckedBody(result.read, result.content_length)
            yield from checked.chunks()
            check_crc(result.hash_crc64_ecma, checked.checksum, key)

    def head(self, key: str) -> ObjectHead | None:
        try:
            with translated("HeadObject", key):
                result = self._client.head_object(self._bucket, sendable(key))
        except ObjectMissing:
            self._check_bucket()
            return None
        except ConfigurationError:
            self._is_checked = False
            self._check_bucket()
            raise
        head = _head(key, result.content_length, result.etag, result.last_modified)
        return replace(head, crc64=result.hash_crc64_ecma)

    def list(self, prefix: str) -> Iterator[ObjectHead]:
        token: str | None = None
        before = ""
        while True:
            with translated("ListObjectsType2", prefix):
                page = self._client.list_objects_type2(
                    self._bucket, prefix, continuation_token=token, max_keys=1000, list_only_once=True
                )
                is_encoded = page.resp.resp.json().get("EncodingType") == "url"
            for entry in page.contents:
                key = unquote(entry.key) if is_encoded else entry.key
                if key.encode() <= before.encode():
                    log.error("bucket.list_out_of_order", extra={"key": key, "after": before})
                before = key
                yield _head(key, entry.size, entry.etag, entry.last_modified)
            if not page.is_truncated:
                return
            token = page.next_continuation_token

    def delete(self, key: str) -> None:
        self._check_bucket()
        with translated("DeleteObject", key, publishes=True):
            try:
                self._client.delete_object(self._bucket, sendable(key))
            except TosServerError as error:
                if error.code != "NoSuchKey":
                    raise

    def concatenate(self, key: str, sources: Sequence[str]) -> None:
        writer = PieceWriter(self._target(key), PART_BYTES)
        join(self, sources, writer, BOUNDS, self._range)

    def is_versioned(self) -> bool:
        """Whether the bucket has, or had, versioning; false, too, if the key may not ask."""
        with translated("GetBucketVersioning", self._bucket):
            try:
                status = self._client.get_bucket_version(self._bucket).status
            except TosServerError as error:
                if error.code != "AccessDenied":
                    raise
                log.warning("bucket.versioning_unknown", extra={"bucket": self._bucket})
                return False
        return status is not None and status.value in _VERSIONED

    def _target(self, key: str, *, if_absent: bool = False) -> TosTarget:
        self._check_bucket()
        return TosTarget(self._client, self._bucket, sendable(key), if_absent, self._holds)

    def _check_bucket(self) -> None:
        """Ask once whether the bucket will do; also why a HEAD failed, whose answer has no body."""
        if not self._is_checked and self.is_versioned():
            raise has_versions(self._bucket)
        self._is_checked = True

    @contextlib.contextmanager
    def _opened(
        self, key: str, etag: str | None, span: tuple[int | None, int | None] = (None, None)
    ) -> Iterator[Any]:
        """The answer to a GET of an object or a part of it, of this version if one is named."""
        result = self._client.get_object(
            self._bucket,
            sendable(key),
            if_match=literal(etag) if etag else None,
            range_start=span[0],
            range_end=span[1],
        )
        with contextlib.closing(result.content.resp):
            if etag and result.etag.upper() != etag:
                raise ObjectMissing(f"GetObject {key}: it is no longer the version {etag}")
            yield result

    def _range(self, step: PartPlan) -> bytes:
        source, span = step.source, (step.first, step.last)
        with translated("GetObject", source.key), self._opened(source.key, source.etag, span) as result:
            content: bytes = result.read()
        return content

    def _holds(self, key: str, written: bytes | int) -> bool | None:
        if isinstance(written, int):
            found = self.head(key)
            return None if found is None else found.size_bytes == written
        try:
            return self.get(key) == written
        except ObjectMissing:
            return None


def sendable(key: str) -> str:
    """The key, if the SDK can send it: its HTTP library takes dots out of a path, unasked.

    Raises:
        ConfigurationError: Another object would be meant.
    """
    if {".", ".."} & set(key.split("/")):
        raise ConfigurationError(f"{key}: a name of which a part is . or .. cannot be sent to TOS; rename it")
    return key


def _head(key: str, size_bytes: int, etag: str, modified_at: datetime) -> ObjectHead:
    at = modified_at.astimezone(timezone.utc)
    return ObjectHead(key=key, size_bytes=size_bytes, etag=etag.upper(), modified_at=at)
