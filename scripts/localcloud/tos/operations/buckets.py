"""The operations on buckets: create, list, describe, delete; list objects and delete many."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from scripts.localcloud.storage import refusals
from scripts.localcloud.storage.listing import Page, parse_token
from scripts.localcloud.storage.object_index import StoredObject
from scripts.localcloud.storage.properties import bucket_properties, put_bucket
from scripts.localcloud.storage_http.answer import Answer, iso_time
from scripts.localcloud.storage_http.hosted.call import quoted
from scripts.localcloud.storage_http.incoming.request import bounded_number
from scripts.localcloud.tos import tos_refusals
from scripts.localcloud.tos.oddities import Oddity
from scripts.localcloud.tos.wire.answers import (
    OWNER,
    STORAGE_CLASS,
    json_answer,
    parse_json,
)
from scripts.localcloud.tos.wire.call import Call
from scripts.localcloud.tos.wire.tos_request import TosRequest

_META_PREFIX = f"{TosRequest.prefix}meta-"


def list_buckets(call: Call) -> Answer:
    names = call.storage.buckets()
    return json_answer({"Owner": OWNER, "Buckets": [_bucket(call, name) for name in names]})


def create_bucket(call: Call) -> Answer:
    if call.request.header(STORAGE_CLASS) not in ("", "STANDARD"):
        raise refusals.not_implemented("the storage class of a bucket")
    put_bucket(call.storage, call.request.bucket, {})
    return Answer(headers={"Location": f"/{call.request.bucket}"})


def head_bucket(call: Call) -> Answer:
    call.storage.check_bucket(call.request.bucket)
    return Answer(headers={"x-tos-bucket-region": call.storage.region, STORAGE_CLASS: "STANDARD"})


def delete_bucket(call: Call) -> Answer:
    call.storage.delete_bucket(call.request.bucket)
    return Answer(204)


def bucket_location(call: Call) -> Answer:
    endpoint = call.request.endpoint
    return json_answer(
        {"Region": call.storage.region, "ExtranetEndpoint": endpoint, "IntranetEndpoint": endpoint}
    )


def bucket_versioning(call: Call) -> Answer:
    """An empty document, if it was never switched on."""
    status = bucket_properties(call.storage, call.request.bucket).get("versioning")
    return json_answer({"Status": status} if status else {})


def put_bucket_versioning(call: Call) -> Answer:
    """Keep what is said of it, and tell the writers; old versions are not kept."""
    status = parse_json(call.body.read_document()).get("Status")
    if status not in ("Enabled", "Suspended"):
        raise refusals.invalid_argument("The Status of versioning is Enabled or Suspended.")
    put_bucket(call.storage, call.request.bucket, {"versioning": status})
    return Answer()


def list_objects_v2(call: Call) -> Answer:
    query = call.request.query
    token = query.get("continuation-token", "")
    page, document = _page(call, parse_token(token) if token else query.get("start-after", ""))
    document |= {"KeyCount": len(page), "ContinuationToken": token}
    if page.next_marker:
        document["NextContinuationToken"] = page.next_token
    return json_answer(document)


def list_objects(call: Call) -> Answer:
    marker = call.request.query.get("marker", "")
    page, document = _page(call, marker)
    encode = quote if "EncodingType" in document else str
    return json_answer({**document, "Marker": encode(marker), "NextMarker": encode(page.next_marker)})


def delete_objects(call: Call) -> Answer:
    document = parse_json(call.body.read_document())
    try:
        keys = [str(each["Key"]) for each in document["Objects"]]
    except (KeyError, TypeError) as error:
        raise tos_refusals.malformed_body() from error
    if any(each.get("VersionId") for each in document["Objects"]):
        raise refusals.not_implemented("versions of objects")
    for key in keys:
        call.check("tos:DeleteObject", call.request.bucket, key)
    for key in keys:
        call.storage.delete(call.request.bucket, key, "ObjectRemoved:Delete", call.request_id)
    deleted = [] if document.get("Quiet") else [{"Key": key} for key in keys]
    return json_answer({"Deleted": deleted, "Error": []})


def _page(call: Call, marker: str) -> tuple[Page, dict[str, Any]]:
    """One page, and what both versions of the list say of it."""
    query = call.request.query
    limit = bounded_number(call.request, "max-keys", default=1000, largest=1000)
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    page = call.page_of_objects(marker, limit)
    is_encoded = query.get("encoding-type") == "url" or Oddity.ENCODED_LISTS in call.oddities
    encode = quote if is_encoded else str
    return page, {
        "Name": call.request.bucket,
        "Prefix": encode(prefix),
        "Delimiter": encode(delimiter),
        "MaxKeys": limit,
        "IsTruncated": bool(page.next_marker),
        "Contents": [
            {**_entry(row, with_meta=query.get("fetch-meta", "").lower() == "true"), "Key": encode(row.key)}
            for row in page.objects
        ],
        "CommonPrefixes": [{"Prefix": encode(folder)} for folder in page.folders],
        **({"EncodingType": "url"} if is_encoded else {}),
    }


def _entry(row: StoredObject, *, with_meta: bool) -> dict[str, Any]:
    meta = [
        {"Key": name.removeprefix(_META_PREFIX), "Value": value}
        for name, value in row.headers.items()
        if name.startswith(_META_PREFIX)
    ]
    return {
        **({"UserMeta": meta} if with_meta else {}),
        "LastModified": iso_time(row.modified_s),
        "ETag": quoted(row),
        "Size": row.size_bytes,
        "StorageClass": row.headers.get(STORAGE_CLASS, "STANDARD"),
        "HashCrc64ecma": str(row.crc64),
        "Type": "Normal",
        "Owner": OWNER,
    }


def _bucket(call: Call, name: str) -> dict[str, Any]:
    return {
        "Name": name,
        "Location": call.storage.region,
        "CreationDate": iso_time(call.storage.layout.bucket_dir(name).stat().st_ctime),
        "ExtranetEndpoint": call.request.endpoint,
        "IntranetEndpoint": call.request.endpoint,
    }
