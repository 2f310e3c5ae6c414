"""An answer of the local OSS before it is sent, and the call that it answers."""

from __future__ import annotations

import base64
import dataclasses
from dataclasses import dataclass
from email.utils import formatdate
from typing import BinaryIO
from urllib.parse import unquote

from scripts.localcloud.oss import oss_refusals
from scripts.localcloud.oss.auth.permissions import Caller
from scripts.localcloud.oss.wire import object_headers
from scripts.localcloud.oss.wire.oss_request import OssRequest
from scripts.localcloud.storage import refusals
from scripts.localcloud.storage.content import Write
from scripts.localcloud.storage.object_index import Part, StoredObject
from scripts.localcloud.storage.properties import bucket_properties
from scripts.localcloud.storage_http.answer import Answer
from scripts.localcloud.storage_http.call import StoreCall
from scripts.localcloud.storage_http.incoming.request import parse_copy_source
from scripts.localcloud.storage_http.incoming.xml_bodies import legible, render

NEXT_POSITION = "x-oss-next-append-position"


@dataclass(frozen=True)
class Call(StoreCall):
    """What every operation of the local OSS needs."""

    request: OssRequest
    caller: Caller

    def open(self) -> tuple[StoredObject, BinaryIO]:
        """The object that is asked for, and its bytes; through a symbolic link, its target's."""
        row, stream = self.open_unfollowed()
        if row.object_type == "Symlink":
            stream.close()
            return self._follow(row)
        return row, stream

    def open_unfollowed(self) -> tuple[StoredObject, BinaryIO]:
        return self._open(self.request.bucket, self.request.key)

    def open_copy_source(self) -> tuple[StoredObject, BinaryIO]:
        """The object that is copied from, which the caller must be allowed to read."""
        bucket, key = parse_copy_source(self.request.header("x-oss-copy-source"))
        self.caller.check("oss:GetObject", bucket, key)
        row, stream = self._open(bucket, key)
        try:
            if row.object_type == "Symlink":  # the service would copy the link
                raise refusals.not_implemented("copies of symbolic links")
            object_headers.check_readable(row.headers)
        except refusals.Refusal:
            stream.close()
            raise
        return row, stream

    def _open(self, bucket: str, key: str) -> tuple[StoredObject, BinaryIO]:
        """A caller learns that a key is missing only if they may list it.

        S3 answers so (https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html,
        "Permissions"). We found no page of OSS that says whether it does, nor against which
        oss:Prefix it would judge. The stricter answer is given here, so that no function relies on
        a 404 from OSS.
        """
        try:
            return self.storage.open(bucket, key)
        except refusals.Refusal as refusal:
            if refusal.code == "NoSuchKey":
                self.caller.check("oss:ListObjects", bucket, key)
            raise

    def _follow(self, link: StoredObject) -> tuple[StoredObject, BinaryIO]:
        """What a symbolic link is to its reader: the target's bytes under the link's own headers.

        Source: https://help.aliyun.com/en/oss/developer-reference/getobject
        """
        key = unquote(link.headers[object_headers.SYMLINK_TARGET])
        self.caller.check("oss:GetObject", link.bucket, key)
        try:
            target, stream = self.storage.open(link.bucket, key)
        except refusals.Refusal as refusal:
            raise (
                oss_refusals.symlink_target_not_exist() if refusal.code == "NoSuchKey" else refusal
            ) from None
        if target.object_type == "Symlink":
            stream.close()
            raise oss_refusals.invalid_target_type()
        seen = dataclasses.replace(
            link,
            size_bytes=target.size_bytes,
            modified_s=max(link.modified_s, target.modified_s),
            etag=target.etag,
            crc64=target.crc64,
        )
        return seen, stream

    def write(
        self,
        event_name: str,
        *,
        object_type: str = "Normal",
        etag: str | None = None,
        like: StoredObject | None = None,
    ) -> Write:
        """What the headers say about the object that is written, or what ``like`` says."""
        return Write(
            bucket=self.request.bucket,
            key=self.request.key,
            event_name=event_name,
            request_id=self.request_id,
            content_type=like.content_type if like else self.request.content_type(),
            headers=like.headers if like else self._headers(),
            object_type=object_type,
            etag=etag,
            forbid_overwrite=self.request.forbids_overwrite(),
        )

    def _headers(self) -> dict[str, str]:
        default = bucket_properties(self.storage, self.request.bucket).get("StorageClass")
        in_class = {object_headers.STORAGE_CLASS: default} if default else {}
        return in_class | object_headers.kept_headers(self.request)


def written(row: StoredObject | Part) -> dict[str, str]:
    """The headers that confirm what was stored."""
    confirmed = {"ETag": f'"{row.etag}"', "x-oss-hash-crc64ecma": str(row.crc64)}
    if isinstance(row, Part) or (row.object_type != "Appendable" and "-" not in row.etag):
        confirmed["Content-MD5"] = base64.b64encode(bytes.fromhex(row.etag)).decode()
    if isinstance(row, StoredObject):
        confirmed |= object_headers.encryption_headers(row.headers)
    return confirmed


def described(row: StoredObject) -> dict[str, str]:
    """The headers that describe an object to its reader."""
    appended = {NEXT_POSITION: str(row.size_bytes)} if row.object_type == "Appendable" else {}
    return {
        **written(row),
        **appended,
        "Content-Type": row.content_type,
        "Last-Modified": formatdate(row.modified_s, usegmt=True),
        "Accept-Ranges": "bytes",
        "x-oss-object-type": row.object_type,
        **object_headers.shown_headers(row.headers),
    }


def refusal_answer(refusal: refusals.Refusal, request: OssRequest | None, request_id: str) -> Answer:
    """The error document; for HEAD, which has no body, in the header that oss2 reads instead."""
    ec = refusal.ec or oss_refusals.ECS.get(refusal.code, "")
    document = render(
        "Error",
        [
            ("Code", refusal.code),
            ("Message", refusal.message),
            ("RequestId", request_id),
            ("HostId", request.endpoint if request else "127.0.0.1"),
            *([("BucketName", legible(request.bucket))] if request and request.bucket else []),
            *([("Key", legible(request.key))] if request and request.key else []),
            *refusal.details.items(),
            *([("EC", ec)] if ec else []),
        ],
    )
    headers = {**refusal.headers, **({"x-oss-ec": ec} if ec else {})}
    if refusal.status == 304:
        return Answer(304, headers)
    if request and request.method == "HEAD":
        return Answer(refusal.status, {**headers, "x-oss-err": base64.b64encode(document).decode()})
    return Answer(refusal.status, {**headers, "Content-Type": "application/xml"}, document)
