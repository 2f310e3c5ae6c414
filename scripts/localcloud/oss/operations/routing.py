"""Which operation a request asks for, and which permission it takes."""

from __future__ import annotations

import re

from scripts.localcloud.oss.auth.canonical import SIGNATURE_PARAMETERS, V1_SIGNED_PARAMETERS
from scripts.localcloud.oss.auth.permissions import OBJECT_ACTIONS
from scripts.localcloud.oss.operations import bucket_operations as buckets
from scripts.localcloud.oss.operations import cors_operations as cors
from scripts.localcloud.oss.operations import multipart_operations as multipart
from scripts.localcloud.oss.operations import object_operations as objects
from scripts.localcloud.oss.operations import property_operations as properties
from scripts.localcloud.oss.operations import tag_operations as tags
from scripts.localcloud.oss.wire.answer import Call
from scripts.localcloud.oss.wire.object_headers import HTTP_HEADERS, TAGGING
from scripts.localcloud.oss.wire.oss_request import OssRequest, check_key
from scripts.localcloud.storage import refusals
from scripts.localcloud.storage_http.answer import Answer
from scripts.localcloud.storage_http.routing import Row, Tables

# The actions are those of
# https://help.aliyun.com/en/oss/user-guide/authorization-syntax-and-elements and of the pages of
# the operations under https://help.aliyun.com/en/oss/developer-reference/ (upload-part,
# upload-part-copy, …). A copy also takes oss:GetObject on its source, and DeleteObjects
# oss:DeleteObject on each key in its body: the operations themselves ask for that. HEAD on a bucket
# is S3's; OSS documents no action for it, so it takes GetBucketInfo's.
_LISTING = "prefix delimiter max-keys encoding-type"
_SERVICE = [Row("GET", "", buckets.list_buckets, "oss:ListBuckets", "prefix marker max-keys")]
_BUCKET = [
    Row(
        "GET",
        "uploads",
        multipart.list_uploads,
        "oss:ListMultipartUploads",
        "prefix delimiter key-marker upload-id-marker max-uploads encoding-type",
    ),
    Row("GET", "bucketInfo", buckets.bucket_info, "oss:GetBucketInfo"),
    Row("GET", "location", buckets.bucket_location, "oss:GetBucketLocation"),
    Row("GET", "stat", buckets.bucket_stat, "oss:GetBucketStat"),
    Row("GET", "versioning", buckets.bucket_versioning, "oss:GetBucketVersioning"),
    Row("GET", "acl", buckets.bucket_acl, "oss:GetBucketAcl"),
    Row("PUT", "acl", buckets.put_bucket_acl, "oss:PutBucketAcl"),
    Row("GET", "tagging", tags.get_bucket_tagging, "oss:GetBucketTagging"),
    Row("PUT", "tagging", tags.put_bucket_tagging, "oss:PutBucketTagging"),
    Row("DELETE", "tagging", tags.delete_bucket_tagging, "oss:DeleteBucketTagging"),
    Row("GET", "cors", cors.get_cors, "oss:GetBucketCors"),
    Row("PUT", "cors", cors.put_cors, "oss:PutBucketCors"),
    Row("DELETE", "cors", cors.delete_cors, "oss:DeleteBucketCors"),
    Row(
        "GET",
        "list-type",
        buckets.list_objects_v2,
        "oss:ListObjects",
        f"{_LISTING} start-after continuation-token fetch-owner",
    ),
    Row("GET", "", buckets.list_objects, "oss:ListObjects", f"{_LISTING} marker"),
    Row("HEAD", "", buckets.head_bucket, "oss:GetBucketInfo"),
    Row("PUT", "", buckets.create_bucket, "oss:PutBucket"),
    Row("POST", "delete", buckets.delete_objects, "", "encoding-type"),
    Row("DELETE", "", buckets.delete_bucket, "oss:DeleteBucket"),
]
_PART = [
    Row("PUT", "x-oss-copy-source", multipart.upload_part_copy, "oss:PutObject", "uploadId partNumber"),
    Row("PUT", "partNumber", multipart.upload_part, "oss:PutObject", "uploadId"),
    Row("POST", "", multipart.complete_upload, "oss:PutObject", "uploadId encoding-type"),
    Row("DELETE", "", multipart.abort_upload, "oss:AbortMultipartUpload", "uploadId"),
    Row(
        "GET",
        "",
        multipart.list_parts,
        "oss:ListParts",
        "uploadId max-parts part-number-marker encoding-type",
    ),
]
_OBJECT = [
    Row("PUT", "symlink", properties.put_symlink, "oss:PutObject"),
    Row("GET", "symlink", properties.get_symlink, "oss:GetObject"),
    Row("PUT", "acl", properties.put_acl, "oss:PutObjectAcl"),
    Row("GET", "acl", properties.get_acl, "oss:GetObjectAcl"),
    Row("PUT", "tagging", properties.put_tagging, "oss:PutObjectTagging"),
    Row("GET", "tagging", properties.get_tagging, "oss:GetObjectTagging"),
    Row("DELETE", "tagging", properties.delete_tagging, "oss:DeleteObjectTagging"),
    Row("PUT", "x-oss-copy-source", objects.copy_object, "oss:PutObject"),
    Row("PUT", "", objects.put_object, "oss:PutObject"),
    Row(
        "GET",
        "",
        objects.get_object,
        "oss:GetObject",
        " ".join(f"response-{name}" for name in ("content-type", *HTTP_HEADERS)),
    ),
    Row("HEAD", "", objects.head_object, "oss:GetObject", "objectMeta"),
    Row("DELETE", "", objects.delete_object, "oss:DeleteObject"),
    Row("POST", "uploads", multipart.initiate_upload, "oss:PutObject", "encoding-type sequential"),
    Row("POST", "append", objects.append_object, "oss:PutObject", "position"),
]
_TABLES = Tables(_SERVICE, _BUCKET, _OBJECT, _PART, check_key)
# Every operation takes these.
_OF_SIGNATURES = SIGNATURE_PARAMETERS | {
    "security-token", "x-oss-access-key-id", "x-oss-additional-headers", "x-oss-credential", "x-oss-date",
    "x-oss-expires", "x-oss-security-token", "x-oss-signature-version",
}  # fmt: skip
# Parameters of the service that no signature V1 signs.
_FURTHER_PARAMETERS = frozenset({
    "accessPointConfigForObjectProcess", "accessPointForObjectProcess", "accessPointPolicyForObjectProcess",
    "accessmonitor", "regions", "rule-id", "tag-key", "tag-value",
})  # fmt: skip
# Headers of the service that are not emulated; those that it does not know it ignores.
_NOT_EMULATED = re.compile(
    "x-oss-(ac-.*|access-point-.*|allow-same-action-overlap|async-process|bucket-tagging"
    "|bypass-governance-retention|callback(-var)?|copy-source-version-id|enable-.*|object-restore-.*"
    "|object-worm-.*|process|resource-group-id|sealed-time|server-side-encryption-customer-.*"
    "|traffic-limit|transition-time|worm-.*)"
)
# The owner of the bucket pays for each request, also for those that say so.
_WITHOUT_EFFECT = frozenset({"x-oss-request-payer"})


def creates_bucket(request: OssRequest) -> bool:
    """PutBucket does, and PutBucketAcl."""
    further = request.query.keys() - _OF_SIGNATURES - {"acl"}
    return request.method == "PUT" and not request.key and not further


def run_operation(call: Call) -> Answer:
    """Find the operation, its bucket and key checked, and run it if the caller may.

    Raises:
        Refusal: 400 for an impossible name, 501 for an operation that the local OSS lacks, 403
            without permission.
    """
    request = call.request
    row = _operation_for(request)
    check_headers(request)
    if row.action:
        check_allowed(call, row.action)
    return row.operation(call)


def check_headers(request: OssRequest) -> None:
    """Refuse those of the service that are not emulated; 501."""
    for name in sorted(request.headers):
        if _NOT_EMULATED.fullmatch(name):
            raise refusals.not_implemented(f"the header {name}")


def check_allowed(call: Call, action: str) -> None:
    """Refuse with 403 what the caller may not do, and tags that it may not set."""
    request = call.request
    subject = request.key if action in OBJECT_ACTIONS else request.query.get("prefix", "")
    call.caller.check(action, request.bucket, subject, request.query.get("delimiter", ""))
    if request.header(TAGGING):
        call.caller.check("oss:PutObjectTagging", request.bucket, request.key)


def _operation_for(request: OssRequest) -> Row[Call]:
    row = _TABLES.find(request)
    if row is None:
        marks = [f"?{name}" for name, value in request.query.items() if not value]
        raise refusals.not_implemented(" ".join([request.method, *marks]))
    _check_known(request, row)
    return row


def _check_known(request: OssRequest, row: Row[Call]) -> None:
    """Refuse what would change the operation if the service got it.

    The service ignores other parameters, such as those that a browser adds to a signed URL.
    """
    for name in sorted(request.query.keys() - _OF_SIGNATURES - _WITHOUT_EFFECT):
        is_sub_resource = not request.query[name] or name in V1_SIGNED_PARAMETERS | _FURTHER_PARAMETERS
        if not row.knows(name) and (is_sub_resource or name.startswith("x-oss-")):
            raise refusals.not_implemented(f"?{name} here")
