"""A checked request on its way to its operation, and how its service words the answer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from email.utils import formatdate
from enum import Enum
from typing import Any, BinaryIO, ClassVar

from scripts.localcloud.storage import refusals
from scripts.localcloud.storage.content import Write
from scripts.localcloud.storage.multipart import PartReference
from scripts.localcloud.storage.object_index import Part, StoredObject, Upload
from scripts.localcloud.storage.properties import bucket_properties
from scripts.localcloud.storage_http.answer import Answer
from scripts.localcloud.storage_http.call import StoreCall
from scripts.localcloud.storage_http.hosted.request import HostedRequest
from scripts.localcloud.storage_http.incoming.request import parse_copy_source

KEPT = ("cache-control", "content-disposition", "content-encoding", "content-language", "expires")
# The parameters by which the reader of an object chooses its headers.
READING = " ".join(f"response-{name}" for name in ("content-type", *KEPT))
Check = Callable[[str, str, str], None]


@dataclass(frozen=True)
class HostedCall(StoreCall, ABC):
    """What every operation needs.

    Attributes:
        check: Refuses what the caller may not do: an action, a bucket and a key.
        oddities: Those habits of the service that are switched on.
        reads: The action that reading an object takes.
        directives: By which a copy is given its source's metadata, and its own, in upper case.
        storage_classes: Kept and told. Objects of others must be restored before they are read.
        default_type: The content type of an object whose writer names none.
    """

    request: HostedRequest
    check: Check
    oddities: Set[Enum]
    reads: ClassVar[str]
    directives: ClassVar[tuple[str, str]]
    storage_classes: ClassVar[Set[str]]
    default_type: ClassVar[str]

    @abstractmethod
    def document(
        self, name: str, fields: Mapping[str, Any], headers: Mapping[str, str] | None = None
    ) -> Answer:
        """An answer that is an object of these fields."""

    @abstractmethod
    def references(self, upload: Upload) -> list[PartReference]:
        """The parts that the request completes the upload with."""

    def named(self, _references: Sequence[PartReference]) -> dict[str, Any]:
        """What the answer tells of these parts."""
        return {}

    @property
    def meta_prefix(self) -> str:
        return f"{self.request.prefix}meta-"

    @property
    def class_header(self) -> str:
        return f"{self.request.prefix}storage-class"

    def open(self) -> tuple[StoredObject, BinaryIO]:
        return self.storage.open(self.request.bucket, self.request.key)

    def copy_source(self) -> tuple[str, str]:
        """Bucket and key of what is copied."""
        return parse_copy_source(self.request.own("copy-source"))

    def open_copy_source(self) -> tuple[StoredObject, BinaryIO]:
        """The object that is copied from, which the caller must be allowed to read."""
        bucket, key = self.copy_source()
        self.check(self.reads, bucket, key)
        return self.storage.open(bucket, key)

    def pieces(self) -> Iterator[bytes]:
        """The body."""
        return self.body.pieces()

    def write(self, event_name: str, *, etag: str | None = None) -> Write:
        """What the headers say about the object that is written."""
        request = self.request
        kept = {name.title(): request.headers[name] for name in KEPT if name in request.headers}
        kept |= {name: value for name, value in request.headers.items() if name.startswith(self.meta_prefix)}
        if storage_class := request.own("storage-class"):
            if storage_class not in self.storage_classes:
                raise refusals.not_implemented(f"the storage class {storage_class}")
            kept[self.class_header] = storage_class
        return Write(
            bucket=request.bucket,
            key=request.key,
            event_name=event_name,
            request_id=self.request_id,
            content_type=request.header("content-type") or self.default_type,
            headers=kept,
            etag=etag,
            forbid_overwrite=request.forbids_overwrite(),
        )

    def has_versions(self) -> bool:
        """Whether the bucket has, or had, versioning; no old version is kept here."""
        return "versioning" in bucket_properties(self.storage, self.request.bucket)

    def version(self) -> dict[str, str]:
        """The version of what was written, where the bucket has versions."""
        return {f"{self.request.prefix}version-id": self.request_id} if self.has_versions() else {}

    def written(self, row: StoredObject | Part) -> dict[str, str]:
        """The headers that confirm what was stored."""
        return {"ETag": quoted(row), f"{self.request.prefix}hash-crc64ecma": str(row.crc64)}

    def described(self, row: StoredObject) -> dict[str, str]:
        """The headers that describe an object to its reader."""
        return {
            **self.written(row),
            "Content-Type": row.content_type,
            "Last-Modified": formatdate(row.modified_s, usegmt=True),
            "Accept-Ranges": "bytes",
            self.class_header: "STANDARD",
            **row.headers,
        }


def wire_etag(row: StoredObject | Part) -> str:
    """In lower case and without its quotes, as a client must name it in ``If-Match``."""
    return row.etag.lower()


def quoted(row: StoredObject | Part) -> str:
    """The ETag in answers."""
    return f'"{wire_etag(row)}"'
