"""The operations on a bucket's CORS rules, and what they tell a browser."""

from __future__ import annotations

from collections.abc import Sequence

from scripts.localcloud.oss import oss_refusals
from scripts.localcloud.oss.web.cors import (
    CorsRule,
    PageRequest,
    headers_for,
    parse_cors,
    render_cors,
)
from scripts.localcloud.oss.wire.answer import Call
from scripts.localcloud.oss.wire.oss_request import OssRequest
from scripts.localcloud.storage.properties import bucket_properties, put_bucket
from scripts.localcloud.storage.storage import Storage
from scripts.localcloud.storage_http.answer import Answer

# A property of the bucket; empty after they were deleted.
_CORS = "cors"


def put_cors(call: Call) -> Answer:
    put_cors_rules(call.storage, call.request.bucket, parse_cors(call.body.read_document()))
    return Answer()


def get_cors(call: Call) -> Answer:
    document = _document(call.storage, call.request.bucket)
    if not document:
        raise oss_refusals.no_such_cors_configuration()
    return Answer(headers={"Content-Type": "application/xml"}, body=document)


def delete_cors(call: Call) -> Answer:
    put_cors_rules(call.storage, call.request.bucket, ())
    return Answer(204)


def put_cors_rules(storage: Storage, bucket: str, rules: Sequence[CorsRule]) -> None:
    """Replace those of a bucket, perhaps by none."""
    put_bucket(storage, bucket, {_CORS: render_cors(rules).decode() if rules else ""})


def page_headers(storage: Storage, request: OssRequest) -> dict[str, str]:
    """The CORS headers of an answer to a web page; none if the bucket does not let it ask."""
    document = _document(storage, request.bucket)
    if not document or not request.header("origin"):
        return {}
    return headers_for(parse_cors(document), _asked(request))


def _asked(request: OssRequest) -> PageRequest:
    origin = request.header("origin")
    if request.method != "OPTIONS":
        return PageRequest(origin, request.method)
    wanted = request.header("access-control-request-headers").lower().split(",")
    headers = [name.strip() for name in wanted if name.strip()]
    return PageRequest(origin, request.header("access-control-request-method"), headers, is_preflight=True)


def _document(storage: Storage, bucket: str) -> bytes:
    return bucket_properties(storage, bucket).get(_CORS, "").encode()
