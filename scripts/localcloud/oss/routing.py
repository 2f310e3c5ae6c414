"""Which operation a request asks for."""

from __future__ import annotations

from collections.abc import Callable

from scripts.localcloud.oss import bucket_operations as buckets
from scripts.localcloud.oss import errors
from scripts.localcloud.oss import multipart_operations as multipart
from scripts.localcloud.oss import object_operations as objects
from scripts.localcloud.oss.answer import Answer, Call
from scripts.localcloud.oss.canonical import V1_SIGNED_PARAMETERS
from scripts.localcloud.oss.paths import check_bucket_name, check_key
from scripts.localcloud.oss.request import OssRequest

Operation = Callable[[Call], Answer]

# (method, what tells the operation from its siblings, operation); the first match wins. The mark is a query
# parameter, or a header when it starts with "x-oss-"; "" always matches.
_SERVICE: list[tuple[str, str, Operation]] = [("GET", "", buckets.list_buckets)]
_BUCKET: list[tuple[str, str, Operation]] = [
    ("GET", "uploads", multipart.list_uploads),
    ("GET", "bucketInfo", buckets.bucket_info),
    ("GET", "list-type", buckets.list_objects_v2),
    ("GET", "", buckets.list_objects),
    ("HEAD", "", buckets.head_bucket),
    ("PUT", "", buckets.create_bucket),
    ("POST", "delete", buckets.delete_objects),
    ("DELETE", "", buckets.delete_bucket),
]
_PART: list[tuple[str, str, Operation]] = [
    ("PUT", "x-oss-copy-source", multipart.upload_part_copy),
    ("PUT", "partNumber", multipart.upload_part),
    ("POST", "", multipart.complete_upload),
    ("DELETE", "", multipart.abort_upload),
    ("GET", "", multipart.list_parts),
]
_OBJECT: list[tuple[str, str, Operation]] = [
    ("PUT", "x-oss-copy-source", objects.copy_object),
    ("PUT", "", objects.put_object),
    ("GET", "", objects.get_object),
    ("HEAD", "", objects.head_object),
    ("DELETE", "", objects.delete_object),
    ("POST", "uploads", multipart.initiate_upload),
    ("POST", "append", objects.append_object),
]
_IMPLEMENTED = {
    "append", "bucketInfo", "continuation-token", "delete", "objectMeta", "partNumber", "position",
    "response-cache-control", "response-content-disposition", "response-content-language",
    "response-content-type", "response-expires", "security-token", "sequential", "uploadId", "uploads",
}  # fmt: skip


def operation_for(request: OssRequest) -> Operation:
    """Find the operation, its bucket and key checked.

    Raises:
        OssRefusal: 400 for an impossible name, 501 for an operation that the local OSS lacks.
    """
    unknown = (request.query.keys() & V1_SIGNED_PARAMETERS) - _IMPLEMENTED
    if unknown:
        raise errors.not_implemented(f"?{min(unknown)}")
    for method, mark, operation in _table_for(request):
        if method == request.method and _is_marked(request, mark):
            return operation
    raise errors.not_implemented(f"{request.method} here")


def _table_for(request: OssRequest) -> list[tuple[str, str, Operation]]:
    if not request.bucket:
        return _SERVICE
    check_bucket_name(request.bucket)
    if not request.key:
        return _BUCKET
    check_key(request.key)
    return _PART if "uploadId" in request.query else _OBJECT


def _is_marked(request: OssRequest, mark: str) -> bool:
    return not mark or bool(request.header(mark) if mark.startswith("x-oss-") else mark in request.query)
