"""Reads and writes the objects of one TOS bucket through the ``tos`` SDK."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timezone
from typing import ClassVar
from urllib.parse import unquote

from shared.ports.store import ObjectHead
from shared.stores.pieces.concatenation import PartBounds
from shared.stores.pieces.guarded import Errors, literal
from shared.stores.pieces.guarded_store import GuardedStore, Opened
from shared.stores.tos.client import open_client
from shared.stores.tos.errors import TOS, TOS_ERRORS
from shared.stores.tos.writer import TosTarget

# The SDK's minimum; 10,000 parts of it are 50 GB.
_PART_BYTES = 5 * 1024 * 1024
BOUNDS = PartBounds(
    # The SDK's; https://www.volcengine.com/docs/6349/74866 says 4 MB.
    min_part_bytes=_PART_BYTES,
    # 5 GB would be allowed, but no call should take minutes.
    max_copy_bytes=1024**3,
    buffer_bytes=_PART_BYTES,
)


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


class TosStore(GuardedStore):
    """``ObjectStore`` over a ``tos.TosClientV2``."""

    cloud: ClassVar[str] = TOS
    bounds: ClassVar[PartBounds] = BOUNDS
    errors: ClassVar[Errors] = TOS_ERRORS

    def look(self, key: str) -> ObjectHead:
        result = self.client.head_object(self.bucket, key)
        head = _head(key, result.content_length, result.etag, result.last_modified)
        return replace(head, crc64=result.hash_crc64_ecma)

    @contextlib.contextmanager
    def opened(self, key: str, etag: str | None, span: tuple[int, int] | None = None) -> Iterator[Opened]:
        first, last = span or (None, None)
        result = self.client.get_object(
            self.bucket,
            key,
            if_match=literal(etag) if etag else None,
            range_start=first,
            range_end=last,
        )
        with contextlib.closing(result.content.resp):
            yield Opened(result.read, result.etag.upper(), result.content_length, result.hash_crc64_ecma)

    def page(self, prefix: str, after: str | None) -> tuple[list[ObjectHead], str | None]:
        page = self.client.list_objects_type2(
            self.bucket, prefix, continuation_token=after, max_keys=1000, list_only_once=True
        )
        is_encoded = page.resp.resp.json().get("EncodingType") == "url"
        heads = [
            _head(
                unquote(entry.key) if is_encoded else entry.key, entry.size, entry.etag, entry.last_modified
            )
            for entry in page.contents
        ]
        return heads, page.next_continuation_token if page.is_truncated else None

    def remove(self, key: str) -> None:
        self.client.delete_object(self.bucket, key)

    def versioning(self) -> str | None:
        status = self.client.get_bucket_version(self.bucket).status
        return None if status is None else str(status.value)

    def target(self, key: str, *, if_absent: bool) -> TosTarget:
        return TosTarget(self.client, self.bucket, key, if_absent, self.holds)


def _head(key: str, size_bytes: int, etag: str, modified_at: datetime) -> ObjectHead:
    at = modified_at.astimezone(timezone.utc)
    return ObjectHead(key=key, size_bytes=size_bytes, etag=etag.upper(), modified_at=at)
