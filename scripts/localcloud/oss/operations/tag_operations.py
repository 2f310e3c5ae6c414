"""The operations on a bucket's tags.

Sources: https://help.aliyun.com/zh/oss/developer-reference/getbuckettags, putbuckettags and
deletebuckettags
"""

from __future__ import annotations

from collections.abc import Mapping

from scripts.localcloud.oss.operations.property_operations import tagging
from scripts.localcloud.oss.wire.answer import Call
from scripts.localcloud.oss.wire.object_headers import parse_tags, render_tags
from scripts.localcloud.storage.properties import bucket_properties, put_bucket
from scripts.localcloud.storage.storage import Storage
from scripts.localcloud.storage_http.answer import Answer
from scripts.localcloud.storage_http.incoming.xml_bodies import parse_tagging

# A property of the bucket; empty after they were deleted.
_TAGS = "tags"


def get_bucket_tagging(call: Call) -> Answer:
    return tagging(bucket_tags(call.storage, call.request.bucket))


def put_bucket_tagging(call: Call) -> Answer:
    put_bucket_tags(call.storage, call.request.bucket, dict(parse_tagging(call.body.read_document())))
    return Answer()


def delete_bucket_tagging(call: Call) -> Answer:
    put_bucket_tags(call.storage, call.request.bucket, {})
    return Answer(204)


def bucket_tags(storage: Storage, bucket: str) -> Mapping[str, str]:
    return parse_tags(bucket_properties(storage, bucket).get(_TAGS, ""))


def put_bucket_tags(storage: Storage, bucket: str, tags: Mapping[str, str]) -> None:
    """Replace those of a bucket, perhaps by none."""
    put_bucket(storage, bucket, {_TAGS: render_tags(tags)})
