"""A checked request to the local TOS on its way to its operation."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass
from typing import BinaryIO

from scripts.localcloud.storage import refusals
from scripts.localcloud.storage.content import Write
from scripts.localcloud.storage.object_index import StoredObject
from scripts.localcloud.storage.properties import bucket_properties
from scripts.localcloud.storage_http.call import StoreCall
from scripts.localcloud.storage_http.request import parse_copy_source
from scripts.localcloud.tos import tos_refusals
from scripts.localcloud.tos.oddities import Oddity
from scripts.localcloud.tos.wire.answers import STORAGE_CLASS, VERSION
from scripts.localcloud.tos.wire.tos_request import UNSIGNED, TosRequest

META_PREFIX = "x-tos-meta-"
# Kept and told. Objects of the others must be restored before they are read.
_STORAGE_CLASSES = frozenset({"STANDARD", "IA", "INTELLIGENT_TIERING", "ARCHIVE_FR"})
KEPT = ("cache-control", "content-disposition", "content-encoding", "content-language", "expires")


@dataclass(frozen=True)
class Call(StoreCall):
    """What every operation of the local TOS needs.

    Attributes:
        check: Refuses what the caller may not do: an action, a bucket and a key.
    """

    request: TosRequest
    oddities: Set[Oddity]
    check: Callable[[str, str, str], None]

    def open(self) -> tuple[StoredObject, BinaryIO]:
        return self.storage.open(self.request.bucket, self.request.key)

    def open_copy_source(self) -> tuple[StoredObject, BinaryIO]:
        """The object that is copied from, which the caller must be allowed to read."""
        bucket, key = parse_copy_source(self.request.header("x-tos-copy-source"))
        self.check("tos:GetObject", bucket, key)
        return self.storage.open(bucket, key)

    def pieces(self) -> Iterator[bytes]:
        """The body, compared with the hash that was signed, if one was."""
        announced = self.request.header("x-tos-content-sha256")
        if announced in ("", UNSIGNED):
            yield from self.body.pieces()
            return
        digest = hashlib.sha256()
        for piece in self.body.pieces():
            digest.update(piece)
            yield piece
        if digest.hexdigest() != announced.lower():
            raise tos_refusals.content_hash_does_not_match()

    def write(self, event_name: str, *, etag: str | None = None) -> Write:
        """What the headers say about the object that is written."""
        request = self.request
        kept = {name.title(): request.headers[name] for name in KEPT if name in request.headers}
        kept |= {name: value for name, value in request.headers.items() if name.startswith(META_PREFIX)}
        if storage_class := request.header(STORAGE_CLASS):
            if storage_class not in _STORAGE_CLASSES:
                raise refusals.not_implemented(f"the storage class {storage_class}")
            kept[STORAGE_CLASS] = storage_class
        return Write(
            bucket=request.bucket,
            key=request.key,
            event_name=event_name,
            request_id=self.request_id,
            content_type=request.header("content-type") or "binary/octet-stream",
            headers=kept,
            etag=etag,
            forbid_overwrite=request.forbids_overwrite(),
        )

    def version(self) -> dict[str, str]:
        """The version of what was written, where the bucket has versions; none is kept."""
        if "versioning" in bucket_properties(self.storage, self.request.bucket):
            return {VERSION: self.request_id}
        return {}
