"""What is said of buckets and objects beside their bytes, and may be changed without them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from scripts.localcloud.storage import refusals
from scripts.localcloud.storage.storage import Storage


def bucket_properties(storage: Storage, bucket: str) -> dict[str, str]:
    """What was said of a bucket: its ACL, storage class and redundancy."""
    with storage.lock:
        return storage.index.bucket_properties(bucket)


def put_bucket(storage: Storage, bucket: str, properties: Mapping[str, str]) -> None:
    """Create a bucket, or change what is said of it."""
    with storage.lock:
        storage.create_bucket(bucket)
        storage.index.save_bucket(bucket, {**storage.index.bucket_properties(bucket), **properties})


def change_headers(storage: Storage, bucket: str, key: str, changes: Mapping[str, str | None]) -> None:
    """Change what is kept with an object, which is no new object and no event."""
    with storage.lock:
        row = storage.index.find_object(bucket, key)
        if row is None:
            raise refusals.no_such_key()
        headers = {**row.headers, **changes}
        kept = {name: value for name, value in headers.items() if value is not None}
        storage.index.save_object(dataclasses.replace(row, headers=kept))
