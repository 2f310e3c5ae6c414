"""A checked request on its way to its operation, of any service that keeps objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from scripts.localcloud.storage.listing import Page, list_page, uploads_after
from scripts.localcloud.storage.multipart import MAX_PART_NUMBER, Uploads
from scripts.localcloud.storage.object_index import Part, Upload
from scripts.localcloud.storage.storage import Storage
from scripts.localcloud.storage_http.incoming.bodies import RequestBody
from scripts.localcloud.storage_http.incoming.request import ObjectRequest, bounded_number

MarkerT = TypeVar("MarkerT")
EntryT = TypeVar("EntryT")


@dataclass(frozen=True)
class Shown(Generic[MarkerT, EntryT]):
    """One page of a list: at most ``limit`` of what comes ``after`` the page before."""

    after: MarkerT
    limit: int
    entries: list[EntryT]
    is_truncated: bool


@dataclass(frozen=True)
class StoreCall:
    """What every operation needs."""

    request: ObjectRequest
    body: RequestBody
    request_id: str
    storage: Storage
    uploads: Uploads

    def upload(self) -> Upload:
        """The one that is asked for."""
        return self.uploads.get(self.request.bucket, self.request.key, self.request.query["uploadId"])

    def part_number(self) -> int:
        return bounded_number(self.request, "partNumber", largest=MAX_PART_NUMBER)

    def page_of_objects(self, marker: str, limit: int) -> Page:
        query, bucket = self.request.query, self.request.bucket
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        with self.storage.lock:
            self.storage.check_bucket(bucket)
            return list_page(
                self.storage.index, bucket, prefix=prefix, delimiter=delimiter, marker=marker, max_keys=limit
            )

    def page_of_parts(self, upload: Upload) -> Shown[int, Part]:
        limit = bounded_number(self.request, "max-parts", default=1000, largest=1000)
        after = bounded_number(
            self.request, "part-number-marker", default=0, smallest=0, largest=MAX_PART_NUMBER
        )
        parts = [part for part in self.uploads.parts(upload) if part.number > after]
        return Shown(after, limit, parts[:limit], len(parts) > limit)

    def page_of_uploads(self) -> Shown[tuple[str, str], tuple[tuple[str, str], Upload]]:
        """Each by its key and id, and folders of them by their prefix and no id."""
        query = self.request.query
        limit = bounded_number(self.request, "max-uploads", default=1000, largest=1000)
        after = query.get("key-marker", ""), query.get("upload-id-marker", "")
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        found = self.uploads.uploads(self.request.bucket, prefix)
        places = uploads_after(found, prefix=prefix, delimiter=delimiter, after=after)
        return Shown(after, limit, places[:limit], len(places) > limit)
