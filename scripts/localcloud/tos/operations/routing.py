"""Which operation a request asks for, and which permission it takes."""

from __future__ import annotations

import re

from scripts.localcloud.storage.object_files import check_key
from scripts.localcloud.storage_http.hosted import multipart, objects
from scripts.localcloud.storage_http.hosted.call import READING
from scripts.localcloud.storage_http.hosted.dispatch import Dispatch
from scripts.localcloud.storage_http.routing import Row, Tables
from scripts.localcloud.tos.operations import buckets, odd_objects, upload_lists
from scripts.localcloud.tos.wire.call import Call

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
        upload_lists.list_uploads,
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
_PART: list[Row[Call]] = [
    Row("PUT", "x-tos-copy-source", multipart.upload_part_copy, "tos:PutObject", "uploadId partNumber"),
    Row("PUT", "partNumber", multipart.upload_part, "tos:PutObject", "uploadId"),
    Row("POST", "", multipart.complete_upload, "tos:PutObject", "uploadId"),
    Row("DELETE", "", multipart.abort_upload, "tos:AbortMultipartUpload", "uploadId"),
    Row(
        "GET",
        "",
        upload_lists.list_parts,
        "tos:ListMultipartUploadParts",
        "uploadId max-parts part-number-marker",
    ),
]
_OBJECT: list[Row[Call]] = [
    Row("POST", "uploads", multipart.create_upload, "tos:PutObject"),
    Row("PUT", "x-tos-copy-source", objects.copy_object, "tos:PutObject"),
    Row("PUT", "", objects.put_object, "tos:PutObject"),
    Row("GET", "", objects.get_object, "tos:GetObject", READING),
    Row("HEAD", "", objects.head_object, "tos:GetObject"),
    Row("DELETE", "", odd_objects.delete_object, "tos:DeleteObject"),
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
DISPATCH = Dispatch(_TABLES, _OF_SIGNATURES, _KNOWN_HEADERS, _DEFAULTS)
