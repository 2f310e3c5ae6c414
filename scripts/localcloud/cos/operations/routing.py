"""Which operation a request asks for, and which permission it takes."""

from __future__ import annotations

import re

from scripts.localcloud.cos.operations import buckets
from scripts.localcloud.cos.wire.call import Call
from scripts.localcloud.cos.wire.cos_request import check_key
from scripts.localcloud.storage_http.hosted import multipart, objects
from scripts.localcloud.storage_http.hosted.call import READING
from scripts.localcloud.storage_http.hosted.dispatch import Dispatch
from scripts.localcloud.storage_http.routing import Row, Tables

# Actions: https://cloud.tencent.com/document/product/436/31923
_BUCKET: list[Row[Call]] = [
    Row("GET", "versioning", buckets.bucket_versioning, "name/cos:GetBucketVersioning"),
    Row("PUT", "versioning", buckets.put_bucket_versioning, "name/cos:PutBucketVersioning"),
    Row(
        "GET",
        "",
        buckets.list_objects,
        "name/cos:GetBucket",
        "prefix delimiter marker max-keys encoding-type",
    ),
    Row("HEAD", "", buckets.head_bucket, "name/cos:HeadBucket"),
    Row("PUT", "", buckets.create_bucket, "name/cos:PutBucket"),
    Row("POST", "delete", buckets.delete_objects, ""),
    Row("DELETE", "", buckets.delete_bucket, "name/cos:DeleteBucket"),
]
_PART: list[Row[Call]] = [
    Row(
        "PUT",
        "x-cos-copy-source",
        multipart.upload_part_copy,
        "name/cos:UploadPartCopy",
        "uploadId partNumber",
    ),
    Row("PUT", "partNumber", multipart.upload_part, "name/cos:UploadPart", "uploadId"),
    Row("POST", "", multipart.complete_upload, "name/cos:CompleteMultipartUpload", "uploadId"),
    Row("DELETE", "", multipart.abort_upload, "name/cos:AbortMultipartUpload", "uploadId"),
]
_OBJECT: list[Row[Call]] = [
    Row("POST", "uploads", multipart.create_upload, "name/cos:InitiateMultipartUpload"),
    Row("PUT", "x-cos-copy-source", objects.copy_object, "name/cos:PutObjectCopy"),
    Row("PUT", "", objects.put_object, "name/cos:PutObject"),
    Row("GET", "", objects.get_object, "name/cos:GetObject", READING),
    Row("HEAD", "", objects.head_object, "name/cos:HeadObject"),
    Row("DELETE", "", objects.delete_object, "name/cos:DeleteObject"),
]
DISPATCH = Dispatch(
    Tables([], _BUCKET, _OBJECT, _PART, check_key),
    re.compile(
        "q-(sign-algorithm|ak|sign-time|key-time|header-list|url-param-list|signature)|x-cos-security-token"
    ),
    re.compile(
        "x-cos-(security-token|forbid-overwrite|storage-class|meta-.*|metadata-directive|copy-source"
        "|copy-source-range|copy-source-if-.*|sdk-retry)"
    ),
    frozenset({("x-cos-acl", "default")}),
)
