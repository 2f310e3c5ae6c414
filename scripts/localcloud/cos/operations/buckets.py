"""The operations on buckets: create, describe, delete; list objects and delete many."""

from __future__ import annotations

from scripts.localcloud.cos.oddities import Oddity
from scripts.localcloud.cos.wire.call import Call
from scripts.localcloud.options import ACCOUNT_ID
from scripts.localcloud.storage import refusals
from scripts.localcloud.storage.listing import Page
from scripts.localcloud.storage.object_index import StoredObject
from scripts.localcloud.storage.properties import bucket_properties, put_bucket
from scripts.localcloud.storage_http.answer import Answer, iso_time
from scripts.localcloud.storage_http.hosted.call import quoted
from scripts.localcloud.storage_http.incoming.request import bounded_number
from scripts.localcloud.storage_http.incoming.xml_bodies import (
    Element,
    encoded,
    parse_deletions,
    parse_versioning,
    xml_answer,
)


def create_bucket(call: Call) -> Answer:
    put_bucket(call.storage, call.request.bucket, {})
    return Answer()


def head_bucket(call: Call) -> Answer:
    return Answer(headers={"x-cos-bucket-region": call.storage.region})


def delete_bucket(call: Call) -> Answer:
    call.storage.delete_bucket(call.request.bucket)
    return Answer(204)


def bucket_versioning(call: Call) -> Answer:
    """An empty document, if it was never switched on."""
    status = bucket_properties(call.storage, call.request.bucket).get("versioning")
    return xml_answer("VersioningConfiguration", [("Status", status)] if status else [])


def put_bucket_versioning(call: Call) -> Answer:
    """Keep what is said of it, and tell the writers; old versions are not kept."""
    status = parse_versioning(call.body.read_document())
    if status not in ("Enabled", "Suspended"):
        raise refusals.malformed_document()
    put_bucket(call.storage, call.request.bucket, {"versioning": status})
    return Answer()


def list_objects(call: Call) -> Answer:
    query = call.request.query
    limit = bounded_number(call.request, "max-keys", default=1000, largest=1000)
    marker, encoding = query.get("marker", ""), query.get("encoding-type", "")
    page = call.page_of_objects(marker, limit)
    if Oddity.LATE_LISTS in call.oddities:
        page = Page()
    return xml_answer(
        "ListBucketResult",
        [
            ("Name", call.request.bucket),
            *([("EncodingType", encoding)] if encoding else []),
            ("Prefix", encoded(query.get("prefix", ""), encoding)),
            ("Marker", encoded(marker, encoding)),
            ("MaxKeys", limit),
            ("Delimiter", encoded(query.get("delimiter", ""), encoding)),
            ("IsTruncated", str(bool(page.next_marker)).lower()),
            *([("NextMarker", encoded(page.next_marker, encoding))] if page.next_marker else []),
            *(_entry(row, encoding, call.class_header) for row in page.objects),
            *(("CommonPrefixes", [("Prefix", encoded(folder, encoding))]) for folder in page.folders),
        ],
    )


def delete_objects(call: Call) -> Answer:
    keys, quiet = parse_deletions(call.body.read_document())
    for key in keys:
        call.check("name/cos:DeleteObject", call.request.bucket, key)
    for key in keys:
        call.storage.delete(call.request.bucket, key, "ObjectRemoved:Delete", call.request_id)
    return xml_answer("DeleteResult", [] if quiet else [("Deleted", [("Key", key)]) for key in keys])


def _entry(row: StoredObject, encoding: str, class_header: str) -> Element:
    return (
        "Contents",
        [
            ("Key", encoded(row.key, encoding)),
            ("LastModified", iso_time(row.modified_s)),
            ("ETag", quoted(row)),
            ("Size", row.size_bytes),
            ("Owner", [("ID", ACCOUNT_ID), ("DisplayName", ACCOUNT_ID)]),
            ("StorageClass", row.headers.get(class_header, "STANDARD")),
        ],
    )
