"""A checked request to the local COS on its way to its operation, and the error document."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any, ClassVar

from scripts.localcloud.cos.wire.cos_request import HOSTS, CosRequest
from scripts.localcloud.storage import refusals
from scripts.localcloud.storage.content import Write
from scripts.localcloud.storage.multipart import PartReference
from scripts.localcloud.storage.object_index import StoredObject, Upload
from scripts.localcloud.storage_http.answer import Answer
from scripts.localcloud.storage_http.hosted.call import HostedCall
from scripts.localcloud.storage_http.incoming.request import decoded_header
from scripts.localcloud.storage_http.incoming.xml_bodies import legible, parse_parts, xml_answer


@dataclass(frozen=True)
class Call(HostedCall):
    """What every operation of the local COS needs."""

    request: CosRequest
    reads: ClassVar[str] = "name/cos:GetObject"
    directives: ClassVar[tuple[str, str]] = ("COPY", "REPLACED")
    storage_classes: ClassVar[Set[str]] = frozenset({"STANDARD", "STANDARD_IA", "INTELLIGENT_TIERING"})
    default_type: ClassVar[str] = "application/octet-stream"

    def document(
        self, name: str, fields: Mapping[str, Any], headers: Mapping[str, str] | None = None
    ) -> Answer:
        return xml_answer(name, list(fields.items()), headers)

    def references(self, _upload: Upload) -> list[PartReference]:
        return parse_parts(self.body.read_document())

    def copy_source(self) -> tuple[str, str]:
        """``bucket.cos.region.myqcloud.com/key``, the key encoded."""
        source = self.request.header("x-cos-copy-source")
        if "?" in source:
            raise refusals.not_implemented("versions of objects")
        host, _, key = source.partition("/")
        bucket = HOSTS.parse(CosRequest, "GET", "/", {"host": host}).bucket
        if not bucket or not key:
            raise refusals.invalid_argument("x-cos-copy-source must name a bucket's host and a key.")
        return bucket, decoded_header(key)

    def write(self, event_name: str, *, etag: str | None = None) -> Write:
        """To forbid overwriting has no effect in a bucket that has, or had, versions.

        Source: https://cloud.tencent.com/document/product/436/7749
        """
        write = super().write(event_name, etag=etag)
        return dataclasses.replace(write, forbid_overwrite=write.forbid_overwrite and not self.has_versions())

    def described(self, row: StoredObject) -> dict[str, str]:
        """The usual storage class goes without saying."""
        usual = (self.class_header, "STANDARD")
        return {name: value for name, value in super().described(row).items() if (name, value) != usual}


def refusal_answer(refusal: refusals.Refusal, request: CosRequest | None, request_id: str) -> Answer:
    """The error document; a refused HEAD has none, and so no code."""
    if refusal.status == 304 or (request and request.method == "HEAD"):
        return Answer(refusal.status, refusal.headers)
    resource = f"{request.bucket}.{request.endpoint}/{request.key}" if request else "127.0.0.1"
    fields = {
        "Code": refusal.code,
        "Message": refusal.message,
        "Resource": legible(resource),
        "RequestId": request_id,
        "TraceId": request_id,
    }
    return dataclasses.replace(
        xml_answer("Error", list(fields.items()), refusal.headers), status=refusal.status
    )
