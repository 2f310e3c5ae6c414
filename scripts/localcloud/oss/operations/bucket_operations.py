"""The operations on buckets: create, list, describe, delete; list objects and delete many."""

from __future__ import annotations

from scripts.localcloud.options import ACCOUNT_ID
from scripts.localcloud.oss.wire import object_headers
from scripts.localcloud.oss.wire.answer import Call
from scripts.localcloud.storage import refusals
from scripts.localcloud.storage.listing import Page, parse_token
from scripts.localcloud.storage.object_index import StoredObject
from scripts.localcloud.storage.properties import bucket_properties, put_bucket
from scripts.localcloud.storage_http.answer import Answer, iso_time
from scripts.localcloud.storage_http.incoming.request import bounded_number
from scripts.localcloud.storage_http.incoming.xml_bodies import (
    Element,
    encoded,
    parse_bucket_configuration,
    parse_deletions,
    xml_answer,
)

_OWNER: Element = ("Owner", [("ID", ACCOUNT_ID), ("DisplayName", ACCOUNT_ID)])


def list_buckets(call: Call) -> Answer:
    query = call.request.query
    limit = bounded_number(call.request, "max-keys", default=100, largest=1000)
    prefix, marker = query.get("prefix", ""), query.get("marker", "")
    names = [name for name in call.storage.buckets() if name.startswith(prefix) and name > marker]
    more = len(names) > limit
    return xml_answer(
        "ListAllMyBucketsResult",
        [
            _OWNER,
            ("Prefix", prefix),
            ("Marker", marker),
            ("MaxKeys", limit),
            ("IsTruncated", str(more).lower()),
            ("NextMarker", names[limit - 1] if more else ""),
            ("Buckets", [("Bucket", _bucket_elements(call, name)) for name in names[:limit]]),
        ],
    )


def create_bucket(call: Call) -> Answer:
    if object_headers.encryption_headers(call.request.headers):
        raise refusals.not_implemented("the encryption of a bucket")
    configuration = parse_bucket_configuration(call.body.read_document())
    storage_class = configuration.get("StorageClass", "Standard")
    object_headers.check_storage_class(storage_class)
    redundancy = configuration.get("DataRedundancyType", "LRS")
    if redundancy not in ("LRS", "ZRS"):
        raise refusals.invalid_argument("The DataRedundancyType you specified is invalid.")
    acl = call.request.header("x-oss-acl") or _acl(call)
    _check_bucket_acl(acl)
    properties = {"acl": acl, "StorageClass": storage_class, "DataRedundancyType": redundancy}
    put_bucket(call.storage, call.request.bucket, properties)
    return Answer(headers={"Location": f"/{call.request.bucket}"})


def head_bucket(call: Call) -> Answer:
    call.storage.check_bucket(call.request.bucket)
    return Answer()


def bucket_info(call: Call) -> Answer:
    call.storage.check_bucket(call.request.bucket)
    properties = bucket_properties(call.storage, call.request.bucket)
    further: list[Element] = [
        ("AccessControlList", [("Grant", _acl(call))]),
        _OWNER,
        ("DataRedundancyType", properties.get("DataRedundancyType", "LRS")),
        ("ServerSideEncryptionRule", [("SSEAlgorithm", "None")]),
        ("BlockPublicAccess", "true"),
        *((name, "Disabled") for name in ("AccessMonitor", "CrossRegionReplication", "TransferAcceleration")),
        ("Comment", ""),
        ("ResourceGroupId", "rg-local"),
    ]
    return xml_answer("BucketInfo", [("Bucket", [*_bucket_elements(call, call.request.bucket), *further])])


def bucket_location(call: Call) -> Answer:
    return xml_answer("LocationConstraint", f"oss-{call.storage.region}")


def bucket_stat(call: Call) -> Answer:
    with call.storage.lock:
        totals = call.storage.index.totals(call.request.bucket, object_headers.STORAGE_CLASS, "Standard")
        uploads = len(call.storage.index.uploads(call.request.bucket))
    elements: list[Element] = [
        ("Storage", sum(size_bytes for _, size_bytes in totals.values())),
        ("ObjectCount", sum(count for count, _ in totals.values())),
        ("MultipartUploadCount", uploads),
        *((name, 0) for name in ("LiveChannelCount", "LastModifiedTime", "DeleteMarkerCount")),
    ]
    for name in sorted(object_headers.STORAGE_CLASSES):
        count, size_bytes = totals.get(name, (0, 0))
        shown = name.replace("IA", "InfrequentAccess")
        elements += [(f"{shown}Storage", size_bytes), (f"{shown}ObjectCount", count)]
        elements += [(f"{shown}RealStorage", size_bytes)] if name != "Standard" else []
    return xml_answer("BucketStat", elements)


def bucket_versioning(_call: Call) -> Answer:
    """Never switched on, which the service says with an empty document."""
    return xml_answer("VersioningConfiguration", [])


def bucket_acl(call: Call) -> Answer:
    return access_control_policy(_acl(call))


def put_bucket_acl(call: Call) -> Answer:
    acl = call.request.header("x-oss-acl")
    _check_bucket_acl(acl)
    # The service, too, makes a bucket that is not there.
    put_bucket(call.storage, call.request.bucket, {"acl": acl})
    return Answer()


def access_control_policy(grant: str) -> Answer:
    return xml_answer("AccessControlPolicy", [_OWNER, ("AccessControlList", [("Grant", grant)])])


def delete_bucket(call: Call) -> Answer:
    call.storage.delete_bucket(call.request.bucket)
    return Answer(204)


def list_objects(call: Call) -> Answer:
    marker = call.request.query.get("marker", "")
    page, encoding, elements = _page(call, marker, with_owner=True)
    elements.append(("Marker", encoded(marker, encoding)))
    if page.next_marker:
        elements.append(("NextMarker", encoded(page.next_marker, encoding)))
    return xml_answer("ListBucketResult", elements)


def list_objects_v2(call: Call) -> Answer:
    query = call.request.query
    token, start_after = query.get("continuation-token", ""), query.get("start-after", "")
    start = parse_token(token) if token else start_after
    page, encoding, elements = _page(call, start, with_owner=query.get("fetch-owner", "").lower() == "true")
    elements += [("KeyCount", len(page)), ("StartAfter", encoded(start_after, encoding))]
    if token:
        elements.append(("ContinuationToken", token))
    if page.next_marker:
        elements.append(("NextContinuationToken", encoded(page.next_token, encoding)))
    return xml_answer("ListBucketResult", elements)


def delete_objects(call: Call) -> Answer:
    keys, quiet = parse_deletions(call.body.read_document())
    for key in keys:  # unsure whether the service, too, refuses all of them because of one
        call.caller.check("oss:DeleteObject", call.request.bucket, key)
    for key in keys:
        call.storage.delete(call.request.bucket, key, "ObjectRemoved:DeleteObjects", call.request_id)
    encoding = call.request.query.get("encoding-type", "")
    deleted: list[Element] = [("Deleted", [("Key", encoded(key, encoding))]) for key in keys]
    return xml_answer(
        "DeleteResult", [*([("EncodingType", encoding)] if encoding else []), *([] if quiet else deleted)]
    )


def _page(call: Call, marker: str, *, with_owner: bool) -> tuple[Page, str, list[Element]]:
    """One page, and the elements that both versions of the listing share."""
    query = call.request.query
    limit = bounded_number(call.request, "max-keys", default=100, largest=1000)
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    encoding = query.get("encoding-type", "")
    page = call.page_of_objects(marker, limit)
    return (
        page,
        encoding,
        [
            ("Name", call.request.bucket),
            ("Prefix", encoded(prefix, encoding)),
            ("MaxKeys", limit),
            ("Delimiter", encoded(delimiter, encoding)),
            ("IsTruncated", str(bool(page.next_marker)).lower()),
            *([("EncodingType", encoding)] if encoding else []),
            *(_object_element(row, encoding, with_owner=with_owner) for row in page.objects),
            *(("CommonPrefixes", [("Prefix", encoded(folder, encoding))]) for folder in page.folders),
        ],
    )


def _object_element(row: StoredObject, encoding: str, *, with_owner: bool) -> Element:
    return (
        "Contents",
        [
            ("Key", encoded(row.key, encoding)),
            ("LastModified", iso_time(row.modified_s)),
            ("ETag", f'"{row.etag}"'),
            ("Type", row.object_type),
            ("Size", row.size_bytes),
            ("StorageClass", object_headers.storage_class(row.headers)),
            *([_OWNER] if with_owner else []),
        ],
    )


def _bucket_elements(call: Call, name: str) -> list[Element]:
    created_s = call.storage.layout.bucket_dir(name).stat().st_ctime
    return [
        ("Name", name),
        ("Location", f"oss-{call.storage.region}"),
        ("Region", call.storage.region),
        ("CreationDate", iso_time(created_s)),
        ("ExtranetEndpoint", call.request.endpoint),
        ("IntranetEndpoint", call.request.endpoint),
        ("StorageClass", bucket_properties(call.storage, name).get("StorageClass", "Standard")),
    ]


def _acl(call: Call) -> str:
    return bucket_properties(call.storage, call.request.bucket).get("acl", "private")


def _check_bucket_acl(acl: str) -> None:
    if acl not in object_headers.ACLS:
        raise refusals.invalid_argument("no such bucket access control exists")
