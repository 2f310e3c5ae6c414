"""Reads and writes the objects of one COS bucket through COS's SDK."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar

from shared.ports.store import ObjectHead
from shared.problems.exceptions import ConfigurationError
from shared.stores.cos.client import open_client
from shared.stores.cos.errors import COS, COS_ERRORS
from shared.stores.cos.writer import CosTarget, checksum, told
from shared.stores.pieces.concatenation import PartBounds
from shared.stores.pieces.guarded import Errors, literal
from shared.stores.pieces.guarded_store import GuardedStore, Opened

BOUNDS = PartBounds(
    # https://cloud.tencent.com/document/product/436/7750
    min_part_bytes=1024 * 1024,
    # 5 GB would be allowed, but no call should take minutes.
    max_copy_bytes=1024**3,
    # 10,000 parts of it are 40 GB.
    buffer_bytes=4 * 1024 * 1024,
)


def open_cos_store(
    region: str,
    bucket: str,
    *,
    secret_id: str,
    secret_key: str,
    token: str | None = None,
    address: str | None = None,
) -> CosStore:
    """A store over one bucket; makes no request yet.

    Args:
        region: ``ap-shanghai``.
        bucket: Its name with the account's APPID: ``name-1250000000``.
        secret_id: May get, put, list, copy and delete objects, abort uploads, and ask whether the
            bucket has versions.
        secret_key: That key's.
        token: With temporary credentials.
        address: ``host:port`` of a local COS, which is then spoken to in plain HTTP.

    Raises:
        ConfigurationError: The region, the bucket's name, the keys or the address are malformed.
    """
    client = open_client(
        region, bucket, secret_id=secret_id, secret_key=secret_key, token=token, address=address
    )
    return CosStore(client, bucket, region)


class CosStore(GuardedStore):
    """``ObjectStore`` over a ``CosS3Client``.

    In a bucket with versions COS ignores that a key must not be overwritten.

    Lists may lag behind what was written
    (https://cloud.tencent.com/document/product/436/7734): what must be known is read by its key.
    """

    cloud: ClassVar[str] = COS
    bounds: ClassVar[PartBounds] = BOUNDS
    errors: ClassVar[Errors] = COS_ERRORS

    def __init__(self, client: Any, bucket: str, region: str) -> None:
        super().__init__(client, bucket)
        self._region = region

    def sendable(self, key: str) -> str:
        """The SDK takes away a first slash, too."""
        if key.startswith("/"):
            raise ConfigurationError(f"{key}: a name that begins with / cannot be sent to COS; rename it")
        return super().sendable(key)

    def look(self, key: str) -> ObjectHead:
        answer = told(self.client.head_object(self.bucket, key), "ETag")
        at = parsedate_to_datetime(answer["Last-Modified"])
        head = _head(key, answer["Content-Length"], answer["ETag"], at)
        return replace(head, crc64=checksum(answer))

    @contextlib.contextmanager
    def opened(self, key: str, etag: str | None, span: tuple[int, int] | None = None) -> Iterator[Opened]:
        meant = literal(etag) if etag else None
        answer = self.client.get_object(
            self.bucket,
            key,
            **({"IfMatch": f'"{meant}"'} if meant else {}),
            **({"Range": f"bytes={span[0]}-{span[1]}"} if span else {}),
        )
        # The SDK's own ``read`` makes another iterator for each call, and unpacks.
        stream = answer["Body"].get_raw_stream()
        with contextlib.closing(stream):
            headers = told(answer, "ETag")
            size_bytes = int(headers["Content-Length"]) if "Content-Length" in headers else None
            yield Opened(stream.read, _upper(headers["ETag"]), size_bytes, checksum(headers))

    def page(self, prefix: str, after: str | None) -> tuple[list[ObjectHead], str | None]:
        # The SDK asks for encoded keys, and decodes them.
        page = self.client.list_objects(self.bucket, Prefix=prefix, Marker=after or "", MaxKeys=1000)
        entries = page.get("Contents") or []
        heads = [
            _head(each["Key"], each["Size"], each["ETag"], datetime.fromisoformat(each["LastModified"][:19]))
            for each in entries
        ]
        if page["IsTruncated"] != "true":
            return heads, None
        # As in S3, it may be told only with a delimiter.
        last_key = heads[-1].key if heads else None
        return heads, told({"NextMarker": page.get("NextMarker") or last_key}, "NextMarker")["NextMarker"]

    def remove(self, key: str) -> None:
        self.client.delete_object(self.bucket, key)

    def versioning(self) -> str | None:
        status: str | None = self.client.get_bucket_versioning(self.bucket).get("Status")
        return status

    def target(self, key: str, *, if_absent: bool) -> CosTarget:
        return CosTarget(self.client, self.bucket, key, if_absent, self.holds, self._region)


def _head(key: str, size_bytes: str, etag: str, modified_at: datetime) -> ObjectHead:
    """Times of lists have no zone here: they are UTC's."""
    at = modified_at.replace(tzinfo=timezone.utc)
    return ObjectHead(key=key, size_bytes=int(size_bytes), etag=_upper(etag), modified_at=at)


def _upper(etag: str) -> str:
    return etag.strip('"').upper()
