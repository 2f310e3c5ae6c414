"""Which operation a request asks for, and which permission it takes."""

from __future__ import annotations

from collections.abc import Callable

from scripts.localcloud.oss import refusals
from scripts.localcloud.oss.auth.canonical import V1_SIGNED_PARAMETERS
from scripts.localcloud.oss.auth.permissions import OBJECT_ACTIONS
from scripts.localcloud.oss.operations import bucket_operations as buckets
from scripts.localcloud.oss.operations import multipart_operations as multipart
from scripts.localcloud.oss.operations import object_operations as objects
from scripts.localcloud.oss.storage.object_files import check_bucket_name, check_key
from scripts.localcloud.oss.wire.answer import Answer, Call
from scripts.localcloud.oss.wire.oss_request import OssRequest

Operation = Callable[[Call], Answer]
Row = tuple[str, str, Operation, str]

# (method, mark, operation, action); the first match wins. The mark tells an operation from its
# siblings: a query parameter, or a header if it starts with "x-oss-"; "" always matches.
#
# The actions are those of
# https://help.aliyun.com/en/oss/user-guide/authorization-syntax-and-elements and of the pages of
# the operations under https://help.aliyun.com/en/oss/developer-reference/ (upload-part,
# upload-part-copy, …). A copy also takes oss:GetObject on its source, and DeleteObjects
# oss:DeleteObject on each key in its body: the operations themselves ask for that. HEAD on a bucket
# is S3's; OSS documents no action for it, so it takes GetBucketInfo's.
_SERVICE: list[Row] = [("GET", "", buckets.list_buckets, "oss:ListBuckets")]
_BUCKET: list[Row] = [
    ("GET", "uploads", multipart.list_uploads, "oss:ListMultipartUploads"),
    ("GET", "bucketInfo", buckets.bucket_info, "oss:GetBucketInfo"),
    ("GET", "list-type", buckets.list_objects_v2, "oss:ListObjects"),
    ("GET", "", buckets.list_objects, "oss:ListObjects"),
    ("HEAD", "", buckets.head_bucket, "oss:GetBucketInfo"),
    ("PUT", "", buckets.create_bucket, "oss:PutBucket"),
    ("POST", "delete", buckets.delete_objects, ""),
    ("DELETE", "", buckets.delete_bucket, "oss:DeleteBucket"),
]
_PART: list[Row] = [
    ("PUT", "x-oss-copy-source", multipart.upload_part_copy, "oss:PutObject"),
    ("PUT", "partNumber", multipart.upload_part, "oss:PutObject"),
    ("POST", "", multipart.complete_upload, "oss:PutObject"),
    ("DELETE", "", multipart.abort_upload, "oss:AbortMultipartUpload"),
    ("GET", "", multipart.list_parts, "oss:ListParts"),
]
_OBJECT: list[Row] = [
    ("PUT", "x-oss-copy-source", objects.copy_object, "oss:PutObject"),
    ("PUT", "", objects.put_object, "oss:PutObject"),
    ("GET", "", objects.get_object, "oss:GetObject"),
    ("HEAD", "", objects.head_object, "oss:GetObject"),
    ("DELETE", "", objects.delete_object, "oss:DeleteObject"),
    ("POST", "uploads", multipart.initiate_upload, "oss:PutObject"),
    ("POST", "append", objects.append_object, "oss:PutObject"),
]
_IMPLEMENTED = {
    "append", "bucketInfo", "continuation-token", "delete", "objectMeta", "partNumber", "position",
    "response-cache-control", "response-content-disposition", "response-content-language",
    "response-content-type", "response-expires", "security-token", "sequential", "uploadId", "uploads",
}  # fmt: skip


def run_operation(call: Call) -> Answer:
    """Find the operation, its bucket and key checked, and run it if the caller may.

    Raises:
        OssRefusal: 400 for an impossible name, 501 for an operation that the local OSS lacks, 403
            without permission.
    """
    request = call.request
    operation, action = _operation_for(request)
    if action:
        subject = request.key if action in OBJECT_ACTIONS else request.query.get("prefix", "")
        call.caller.check(action, request.bucket, subject)
    return operation(call)


def _operation_for(request: OssRequest) -> tuple[Operation, str]:
    unknown = (request.query.keys() & V1_SIGNED_PARAMETERS) - _IMPLEMENTED
    if unknown:
        raise refusals.not_implemented(f"?{min(unknown)}")
    for method, mark, operation, action in _table_for(request):
        if method == request.method and _is_marked(request, mark):
            return operation, action
    raise refusals.not_implemented(f"{request.method} here")


def _table_for(request: OssRequest) -> list[Row]:
    if not request.bucket:
        return _SERVICE
    check_bucket_name(request.bucket)
    if not request.key:
        return _BUCKET
    check_key(request.key)
    return _PART if "uploadId" in request.query else _OBJECT


def _is_marked(request: OssRequest, mark: str) -> bool:
    return not mark or bool(request.header(mark) if mark.startswith("x-oss-") else mark in request.query)
