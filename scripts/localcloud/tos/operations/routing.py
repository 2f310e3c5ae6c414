"""Which operation a request asks for, and which permission it takes."""

from __future__ import annotations

import re

from scripts.localcloud.storage import refusals
from scripts.localcloud.storage.object_files import check_key
from scripts.localcloud.storage_http.answer import Answer
from scripts.localcloud.storage_http.routing import Row, Tables
from scripts.localcloud.tos.operations import buckets, multipart, objects
from scripts.localcloud.tos.wire.call import Call
from scripts.localcloud.tos.wire.tos_request import TosRequest

# Actions: https://www.volcengine.com/docs/6349/102122
_LISTING = "prefix delimiter max-keys encoding-type fetch-meta"
_SERVICE = [Row("GET", "", buckets.list_buckets, "tos:ListBuckets")]
_BUCKET = [
    Row("GET", "versioning", buckets.bucket_versioning, "tos:GetBucketVersioning"),
    Row("PUT", "versioning", buckets.put_bucket_versioning, "tos:PutBucketVersioning"),
    Row("GET", "location", buckets.bucket_location, "tos:GetBucketLocation"),
    Row(
        "GET",
        "uploads",
        multipart.list_uploads,
        "tos:ListBucketMultipartUploads",
        "prefix delimiter key-marker upload-id-marker max-uploads",
    ),
    Row(
        "GET",
        "list-type",
        buckets.list_objects_v2,
        "tos:ListBucket",
        f"{_LISTING} start-after continuation-token fetch-owner",
    ),
    # The SDK says "hns" of every bucket that it lists so.
    Row("GET", "", buckets.list_objects, "tos:ListBucket", f"{_LISTING} marker x-tos-bucket-type"),
    Row("HEAD", "", buckets.head_bucket, "tos:HeadBucket"),
    Row("PUT", "", buckets.create_bucket, "tos:CreateBucket"),
    Row("POST", "delete", buckets.delete_objects, ""),
    Row("DELETE", "", buckets.delete_bucket, "tos:DeleteBucket"),
]
_PART = [
    Row("PUT", "x-tos-copy-source", multipart.upload_part_copy, "tos:PutObject", "uploadId partNumber"),
    Row("PUT", "partNumber", multipart.upload_part, "tos:PutObject", "uploadId"),
    Row("POST", "", multipart.complete_upload, "tos:PutObject", "uploadId"),
    Row("DELETE", "", multipart.abort_upload, "tos:AbortMultipartUpload", "uploadId"),
    Row(
        "GET",
        "",
        multipart.list_parts,
        "tos:ListMultipartUploadParts",
        "uploadId max-parts part-number-marker",
    ),
]
_READING = " ".join(
    f"response-{name}"
    for name in (
        [
            "content-type",
            "cache-control",
            "content-disposition",
            "content-encoding",
            "content-language",
            "expires",
        ]
    )
)
_OBJECT = [
    Row("POST", "uploads", multipart.create_upload, "tos:PutObject"),
    Row("PUT", "x-tos-copy-source", objects.copy_object, "tos:PutObject"),
    Row("PUT", "", objects.put_object, "tos:PutObject"),
    Row("GET", "", objects.get_object, "tos:GetObject", _READING),
    Row("HEAD", "", objects.head_object, "tos:GetObject"),
    Row("DELETE", "", objects.delete_object, "tos:DeleteObject"),
]
_TABLES = Tables(_SERVICE, _BUCKET, _OBJECT, _PART, check_key)
_OF_SIGNATURES = re.compile(
    "X-Tos-(Algorithm|Credential|Date|Expires|SignedHeaders|Signature|Security-Token)"
)
_KNOWN_HEADERS = re.compile(
    "x-tos-(date|content-sha256|security-token|forbid-overwrite|complete-all|storage-class|meta-.*"
    "|metadata-directive|copy-source|copy-source-range|copy-source-if-.*)"
)


# What holds anyway, or changes nothing here.
_DEFAULTS = {
    ("x-tos-acl", "private"),
    ("x-tos-az-redundancy", "single-az"),
    ("x-tos-az-redundancy", "multi-az"),
    ("x-tos-bucket-type", "fns"),
    ("x-tos-tagging-directive", "COPY"),
}


def creates_bucket(request: TosRequest) -> bool:
    return request.method == "PUT" and not request.key and not request.query


def run_operation(call: Call) -> Answer:
    """Find the operation, its bucket and key checked, and run it if the caller may.

    Raises:
        Refusal: 400 for an impossible name, 501 for what is not emulated, 403 without permission.
    """
    row = _operation_for(call.request)
    if row.action:
        request = call.request
        call.check(row.action, request.bucket, request.key or request.query.get("prefix", ""))
    return row.operation(call)


def _operation_for(request: TosRequest) -> Row[Call]:
    row = _TABLES.find(request)
    if row is None:
        marks = [f"?{name}" for name in request.query]
        raise refusals.not_implemented(" ".join([request.method, *marks]))
    _check_known(request, row)
    return row


def _check_known(request: TosRequest, row: Row[Call]) -> None:
    """Refuse what would change the operation if the service got it."""
    for name in sorted(request.query):
        is_known = row.knows(name) or _OF_SIGNATURES.fullmatch(name)
        if not is_known and (name, request.query[name]) not in _DEFAULTS:
            raise refusals.not_implemented(f"?{name} here")
    for name, value in sorted(request.headers.items()):
        if (
            name.startswith("x-tos-")
            and not _KNOWN_HEADERS.fullmatch(name)
            and (name, value) not in _DEFAULTS
        ):
            raise refusals.not_implemented(f"the header {name}")
